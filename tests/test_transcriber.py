"""Sound to words by faster-whisper, in whose place a stand-in gives what the library gives: numpy's numbers, too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from laporhub.connectors.hotline import HotlineConnector
from laporhub.connectors.transcriber import FasterWhisper
from laporhub.pipeline.errors import Misconfigured, Unparsable
from laporhub.pipeline.messages import Inbound


class Model:
    multilingual = True

    def __init__(self, folder: str, **_: Any) -> None:
        assert Path(folder).is_dir()
        self.model = SimpleNamespace(is_multilingual=self.multilingual)

    def transcribe(self, waves: Any, language: str, **_: Any) -> tuple[Iterator[Any], Any]:
        assert isinstance(waves, np.ndarray) and language == "id"
        word = SimpleNamespace(word=" rusak", probability=np.float64(0.9))
        said = SimpleNamespace(
            start=np.float64(0.5), end=4.0, text=" Jalan rusak.", avg_logprob=np.float64(-0.2), words=[word]
        )
        return iter([said]), None


def decode_audio(sound: str) -> Any:
    if Path(sound).read_bytes() == b"noise":
        raise IndexError("there is no stream")
    return np.zeros(16_000, dtype=np.float32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    library: Any = ModuleType("faster_whisper")
    library.WhisperModel, library.decode_audio = Model, decode_audio
    monkeypatch.setitem(sys.modules, "faster_whisper", library)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.bin").touch()
    return tmp_path / "model"


def test_a_recording_becomes_the_words_of_a_complaint(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "call-7.wav").write_bytes(b"sound")
    hotline = HotlineConnector(transcriber=FasterWhisper(folder))
    (raw,) = hotline.gather([tmp_path / "call-7.wav"])
    (heard,) = hotline.parse(raw)
    assert isinstance(heard, Inbound) and heard.text.startswith("Jalan rusak.")


def test_a_file_without_sound_is_kept_and_the_others_are_heard(folder: Path, tmp_path: Path) -> None:
    for name, content in (("broken.wav", b"noise"), ("good.wav", b"sound")):
        (tmp_path / name).write_bytes(content)
    hotline = HotlineConnector(transcriber=FasterWhisper(folder))
    broken, good = hotline.gather([tmp_path / "broken.wav", tmp_path / "good.wav"])
    with pytest.raises(Unparsable):
        hotline.parse(broken)
    assert broken.body == b"noise" and len(hotline.parse(good)) == 1


def test_a_model_that_knows_only_english_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "multilingual", False)
    with pytest.raises(Misconfigured, match="only English"):
        FasterWhisper(folder)
