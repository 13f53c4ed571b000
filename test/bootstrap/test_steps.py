import pytest

from bootstrap.errors import SetupError
from bootstrap.steps import Stamps
from bootstrap.steps import Step
from bootstrap.steps import fingerprint
from bootstrap.steps import run_steps
from bootstrap.steps import unfinished


class Work:
    """A step over one input file, which counts how often it is done."""

    def __init__(self, layout, name='work'):
        self.input = layout.root / f'{name}.txt'
        self.input.write_text('first')
        self.count = 0
        self.error = None
        self.whole = True
        self.step = Step(name, f'the {name}', self.inputs, self.run, lambda: self.whole)

    def inputs(self):
        return fingerprint(self.input)

    def run(self, commands):
        self.count += 1
        if self.error:
            raise self.error
        return 'worked'


@pytest.fixture
def work(layout):
    return Work(layout)


@pytest.fixture
def stamps(layout):
    return Stamps(layout.stamps)


def test_finished_step_is_not_done_again(work, layout, console, stamps):
    assert unfinished([work.step], stamps)
    run_steps([work.step], layout, console)
    assert not unfinished([work.step], stamps)
    run_steps([work.step], layout, console)
    assert work.count == 1


def test_changed_input_makes_only_its_own_step_run_again(work, layout, console):
    other = Work(layout, 'other')
    steps = [work.step, other.step]
    run_steps(steps, layout, console)
    work.input.write_text('second')
    run_steps(steps, layout, console)
    assert (work.count, other.count) == (2, 1)


def test_step_whose_result_is_gone_is_done_again(work, layout, console):
    run_steps([work.step], layout, console)
    work.whole = False
    run_steps([work.step], layout, console)
    assert work.count == 2


@pytest.mark.parametrize('error', [KeyboardInterrupt(), SetupError('no'), ZeroDivisionError()])
def test_interrupted_step_is_done_again_and_those_before_it_not(work, layout, console, error):
    before, after = Work(layout, 'before'), Work(layout, 'after')
    steps = [before.step, work.step, after.step]
    work.error = error
    with pytest.raises(type(error)):
        run_steps(steps, layout, console)
    assert sorted(path.name for path in layout.stamps.iterdir()) == ['before']
    work.error = None
    run_steps(steps, layout, console)
    assert (before.count, work.count, after.count) == (1, 2, 1)


def test_step_interrupted_at_its_second_run_loses_its_old_stamp(work, layout, console, stamps):
    run_steps([work.step], layout, console)
    work.input.write_text('second')
    work.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run_steps([work.step], layout, console)
    work.input.write_text('first')
    assert not stamps.done(work.step)


def test_half_written_stamp_counts_for_nothing(work, layout, stamps):
    layout.stamps.mkdir(parents=True)
    (layout.stamps / 'work').write_text(work.inputs()[:10])
    assert not stamps.done(work.step)


def test_failure_names_step_log_and_last_lines(work, layout, console, screen):
    step = Step('work', 'the work', work.inputs, lambda c: c.run(['sh', '-c', 'echo why; exit 3']))
    with pytest.raises(SetupError, match='status 3') as caught:
        run_steps([step], layout, console)
    message = str(caught.value)
    assert 'step 1 of 1 (the work)' in message
    assert '| why' in message
    assert str(layout.logs / 'work.log') in message
    assert 'again' in caught.value.advice
    assert 'FAILED' in screen.getvalue()


def test_fingerprint_covers_names_contents_and_borders(tmp_path):
    (tmp_path / 'a').mkdir()
    file = tmp_path / 'a' / 'one'
    file.write_text('x')
    first = fingerprint(tmp_path / 'a')
    assert fingerprint(tmp_path / 'a') == first
    file.rename(tmp_path / 'a' / 'two')
    assert fingerprint(tmp_path / 'a') != first
    (tmp_path / 'a' / 'two').rename(file)
    file.write_text('y')
    assert fingerprint(tmp_path / 'a') != first
    assert fingerprint('ab', 'c') != fingerprint('a', 'bc')
