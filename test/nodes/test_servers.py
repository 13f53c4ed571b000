from types import SimpleNamespace

from std_srvs.srv import Trigger

from lazy_vos_ros.nodes.servers import has_clients
from lazy_vos_ros.nodes.servers import servers_of


def test_a_server_that_is_replaced_is_another_one(graph):
    name = f'{graph.namespace}/go'
    assert servers_of(graph.node, name) == frozenset()
    found = []
    for _ in range(2):
        service = graph.node.create_service(Trigger, 'go', lambda _, response: response)
        graph.until(lambda: servers_of(graph.node, name) - set(found), 'the server is seen')
        (identity,) = servers_of(graph.node, name)
        found.append(identity)
        graph.node.destroy_service(service)
        graph.until(lambda: not servers_of(graph.node, name), 'the server is gone')
    assert len(set(found)) == 2


def test_without_identities_servers_are_counted():
    node = SimpleNamespace(
        get_subscriptions_info_by_topic=lambda *_, **__: [], count_services=lambda _: 2
    )
    assert len(servers_of(node, '/go')) == 2


def test_clients_are_known_once_their_readers_are(graph):
    name = f'{graph.namespace}/ask'
    service = graph.node.create_service(Trigger, 'ask', lambda _, response: response)
    graph.until(lambda: servers_of(graph.node, name), 'the server is seen')
    assert not has_clients(graph.node, name)
    client = graph.node.create_client(Trigger, 'ask')
    graph.until(lambda: has_clients(graph.node, name), 'the client is seen')
    graph.node.destroy_client(client)
    graph.node.destroy_service(service)


def test_answers_do_not_wait_for_clients_that_nobody_can_know():
    node = SimpleNamespace(get_subscriptions_info_by_topic=lambda *_, **__: [])
    assert has_clients(node, '/go')
