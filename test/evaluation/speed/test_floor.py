import pytest
import torch

from lazy_vos_ros.evaluation.speed.floor import Rates
from lazy_vos_ros.evaluation.speed.floor import Work
from lazy_vos_ros.evaluation.speed.floor import count_work
from lazy_vos_ros.evaluation.speed.floor import measure_rates


def test_operations_and_bytes_of_a_product_are_those_of_the_textbook():
    a, b = torch.ones(3, 5), torch.ones(5, 7)
    work = count_work(lambda: torch.mm(a, b.contiguous()).t())
    assert work.flops == 2 * 3 * 5 * 7
    assert work.moved == 4 * (3 * 5 + 5 * 7 + 3 * 7)


def test_work_is_counted_in_inference_mode():
    image, kernel = torch.ones(1, 2, 8, 8), torch.ones(3, 2, 3, 3)

    def run():
        with torch.inference_mode():
            torch.conv2d(image, kernel)

    assert count_work(run).flops == 2 * (3 * 6 * 6) * (2 * 3 * 3)


def test_the_floor_is_what_takes_longer():
    work = Work(flops=8e9, moved=1e9)
    assert work.floor_ms(Rates(flops=4e9, bandwidth=1e9), fewest=1e9) == pytest.approx(2000)
    assert work.floor_ms(Rates(flops=4e12, bandwidth=1e9), fewest=1e9) == pytest.approx(1000)


def test_the_rates_of_a_machine_are_numbers_of_this_age():
    rates = measure_rates(torch.device('cpu'), torch.float32)
    assert 1e8 < rates.flops < 1e15
    assert 1e8 < rates.bandwidth < 1e14
