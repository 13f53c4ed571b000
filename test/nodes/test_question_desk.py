from threading import Thread

from lazy_vos_msgs.srv import RequestCorrection
from rclpy.task import Future

from lazy_vos_ros.nodes.question_desk import QuestionDesk


class FakeClient:
    def __init__(self, ready):
        self.ready = ready
        self.operators = frozenset({b'first'})
        self.calls = []
        self.removed = []

    def service_is_ready(self):
        return self.ready

    def call_async(self, request):
        self.calls.append((request.request_id, Future()))
        return self.calls[-1][1]

    def remove_pending_request(self, future):
        self.removed.append(future)

    @property
    def asked(self):
        return [request_id for request_id, _ in self.calls]


def question(name):
    return RequestCorrection.Request(request_id=name)


def desk(ready=True):
    client, answers = FakeClient(ready), []
    made = QuestionDesk(client, lambda *given: answers.append(given), lambda: client.operators)
    return client, answers, made


def test_a_question_waits_for_an_operator_and_is_sent_once():
    client, answers, made = desk(ready=False)
    made.ask(question('a'))
    made.look()
    assert client.calls == []
    client.ready = True
    made.look()
    made.look()
    assert client.asked == ['a']
    response = RequestCorrection.Response(answer=1)
    client.calls[0][1].set_result(response)
    assert answers == [('a', response)]
    made.look()
    assert client.asked == ['a']


def test_an_operator_who_joins_before_the_death_of_another_is_seen_is_asked():
    client, answers, made = desk()
    made.ask(question('a'))
    made.look()
    assert client.asked == ['a']
    client.operators = frozenset({b'first', b'second'})
    made.look()
    assert client.asked == ['a', 'a']
    assert client.removed == [client.calls[0][1]]
    client.operators = frozenset({b'second'})  # now it is seen
    made.look()
    assert client.asked == ['a', 'a']
    client.calls[1][1].set_result(RequestCorrection.Response())
    assert [key for key, _ in answers] == ['a']


def test_an_operator_in_whose_place_another_is_between_two_looks_is_not_waited_for():
    client, _, made = desk()
    made.ask(question('a'))
    client.operators = frozenset({b'second'})
    made.look()
    assert client.asked == ['a', 'a']
    made.look()
    assert client.asked == ['a', 'a']


def test_an_operator_who_went_is_asked_again_when_back():
    client, answers, made = desk()
    made.ask(question('a'))
    client.ready = False
    made.look()
    assert client.removed == [client.calls[0][1]]
    client.ready = True
    made.look()
    assert client.asked == ['a', 'a']
    client.calls[1][1].set_result(RequestCorrection.Response())
    assert [request_id for request_id, _ in answers] == ['a']


def test_a_withdrawn_question_is_not_sent_again():
    client, _, made = desk()
    for name in ('a', 'b'):
        made.ask(question(name))
    made.keep_only({'b'})
    assert client.removed == [client.calls[0][1]]
    client.ready = False
    made.look()
    client.ready = True
    made.look()
    assert client.asked == ['a', 'b', 'b']


def test_an_answer_that_comes_after_all_is_passed_on_for_the_tracker_to_refuse():
    client, answers, made = desk()
    made.ask(question('a'))
    made.keep_only(())
    client.calls[0][1].set_result(RequestCorrection.Response())
    assert len(answers) == 1


def test_a_cancelled_call_is_no_answer():
    client, answers, made = desk()
    made.ask(question('a'))
    client.calls[0][1].cancel()
    assert answers == []


def test_an_operator_who_answers_at_once_does_not_lock_the_desk():
    client, answers, made = desk()
    response = RequestCorrection.Response(answer=1)
    later = client.call_async

    def at_once(request):
        future = later(request)
        future.set_result(response)
        return future

    client.call_async = at_once
    thread = Thread(target=made.ask, args=(question('a'),), daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert answers == [('a', response)]
