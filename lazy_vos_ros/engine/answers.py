"""What an operator may say, checked before it is used."""

from lazy_vos_ros.engine.clicks import Click
from lazy_vos_ros.engine.results import Absent
from lazy_vos_ros.engine.results import Answer
from lazy_vos_ros.engine.results import Skip


def clicks_of(answer: Answer) -> tuple[Click, ...]:
    """Return the clicks of an answer; none for Skip and Absent."""
    if isinstance(answer, Click):
        return (answer,)
    return answer if isinstance(answer, tuple) else ()


def check_answer(answer: Answer, height: int, width: int) -> None:
    """Refuse what cannot answer a question about an image of this size.

    Raises
    ------
    ValueError
        If it is none of the allowed kinds, has no click, or one outside the image.
    """
    if isinstance(answer, Skip | Absent):
        return
    clicks = clicks_of(answer)
    if not clicks or not all(isinstance(click, Click) for click in clicks):
        raise ValueError(
            f'answer is {answer!r}; allowed: a Click, a tuple of one or more, Skip or Absent'
        )
    for click in clicks:
        click.check_inside(height, width)
