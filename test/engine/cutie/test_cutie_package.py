import sys

import pytest
from small_cutie import small_sizes
from torch.utils import model_zoo

from lazy_vos_ros.engine import build
from lazy_vos_ros.engine.cutie import package


def test_a_missing_package_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cutie.model.cutie', None)
    with pytest.raises(RuntimeError, match=r"pip install 'lazy_vos_ros\[cutie\]'"):
        package.published_sizes()
    with pytest.raises(RuntimeError, match='Cutie needs the Python package rf-cutie'):
        package.build_model({})


def test_a_missing_package_is_told_before_the_weights_are_read(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'cutie.model.cutie', None)
    path = tmp_path / 'cutie-base-mega.pth'
    path.write_bytes(b'not looked at')
    with pytest.raises(RuntimeError, match='rf-cutie'):
        build.make_backend(str(path), backend='cutie', device='cpu')


def test_nothing_of_the_package_is_imported_before_it_is_needed():
    """The adapters are imported with everything else; the package must not be."""
    import subprocess

    code = (
        'import sys, lazy_vos_ros.engine.build\n'
        "print([name for name in sys.modules if name.split('.')[0] in "
        "('cutie', 'omegaconf', 'einops', 'hydra')])"
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == '[]'


def test_unknown_variants_are_refused():
    with pytest.raises(ValueError, match="variant is 'large'; allowed: base, small"):
        package.published_sizes('large')


def test_published_sizes(filled_model):
    base, small = package.published_sizes(), package.published_sizes('small')
    assert base['pixel_encoder'] == {'type': 'resnet50', 'ms_dims': [1024, 512, 256]}
    assert small['pixel_encoder'] == {'type': 'resnet18', 'ms_dims': [256, 128, 64]}
    assert base['object_transformer']['embed_dim'] == base['embed_dim'] == 256
    assert 'defaults' not in small
    differing = {name for name in base if base[name] != small[name]}
    assert differing == {'pixel_encoder'}


def test_nothing_is_downloaded_and_the_package_is_left_as_it_was(filled_model, monkeypatch):
    from cutie.model.utils import resnet

    def refuse(*arguments, **named):
        raise AssertionError('a download was tried')

    monkeypatch.setattr(model_zoo, 'load_url', refuse)
    makers = resnet.resnet18, resnet.resnet50
    model = package.build_model(small_sizes())
    assert (resnet.resnet18, resnet.resnet50) == makers
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    with pytest.raises(AssertionError, match='a download was tried'):
        resnet.resnet18()
