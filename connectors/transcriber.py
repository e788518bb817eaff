"""From sound to words, on this machine. The library is heavy, so it is an extra: `pip install laporhub[audio]`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from laporhub.pipeline.errors import Misconfigured

SOUND = frozenset((".wav", ".mp3", ".ogg", ".opus", ".m4a", ".flac", ".gsm", ".amr"))


class Transcriber(Protocol):
    """Anything that hears Indonesian."""

    def transcribe(self, sound: Path) -> Mapping[str, Any]:
        """`{"segments": [{"start", "end", "text", "avg_logprob", "words"?}], "model"}`, times in seconds. Blocking."""
        ...


class FasterWhisper:
    """faster-whisper with a model that lies in a folder here; nothing is ever downloaded."""

    def __init__(self, folder: Path) -> None:
        """Raises `Misconfigured` where folder or library is missing."""
        if not (folder / "model.bin").is_file():
            raise Misconfigured(
                f"LAPORHUB_HOTLINE_AUDIO_MODEL: {folder} holds no model.bin: name the folder of a faster-whisper model"
            )
        try:
            library = import_module("faster_whisper")  # an extra, which most do without
        except ImportError:
            raise Misconfigured(
                "LAPORHUB_HOTLINE_AUDIO_MODEL is set, but faster-whisper is not installed: pip install laporhub[audio]"
            ) from None
        self._model = library.WhisperModel(str(folder), local_files_only=True, compute_type="int8")
        self._name = folder.name

    def transcribe(self, sound: Path) -> Mapping[str, Any]:
        segments, _ = self._model.transcribe(str(sound), language="id", word_timestamps=True, vad_filter=True)
        return {
            "model": f"faster-whisper {self._name}",
            "segments": [
                {
                    "start": each.start,
                    "end": each.end,
                    "text": each.text,
                    "avg_logprob": each.avg_logprob,
                    "words": [
                        {"word": word.word, "probability": word.probability} for word in each.words or ()
                    ],
                }
                for each in segments
            ],
        }
