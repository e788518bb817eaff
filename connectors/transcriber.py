"""From sound to words, on this machine. The library is heavy, so it is an extra: `pip install laporhub[audio]`."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

from laporhub.pipeline.errors import Misconfigured, Unparsable

SOUND = frozenset((".wav", ".mp3", ".ogg", ".opus", ".m4a", ".flac", ".gsm", ".amr"))


class Transcriber(Protocol):
    """Anything that hears Indonesian."""

    def transcribe(self, sound: Path) -> Mapping[str, Any]:
        """`{"segments": [{"start", "end", "text", "avg_logprob", "words"?}], "model"}`, times in seconds. Blocking.

        Raises `Unparsable` for a file in which there is no sound.
        """
        ...


class FasterWhisper:
    """faster-whisper with a model that lies in a folder here; nothing is ever downloaded."""

    def __init__(self, folder: Path) -> None:
        """Raises `Misconfigured` where folder or library is missing, and for a model that knows no Indonesian."""
        if not (folder / "model.bin").is_file():
            raise Misconfigured(
                f"LAPORHUB_HOTLINE_AUDIO_MODEL: {folder} holds no model.bin: name the folder of a faster-whisper model"
            )
        try:
            self._library = import_module("faster_whisper")  # an extra, which most do without
        except ImportError:
            raise Misconfigured(
                "LAPORHUB_HOTLINE_AUDIO_MODEL is set, but faster-whisper is not installed: pip install laporhub[audio]"
            ) from None
        self._model = self._library.WhisperModel(str(folder), local_files_only=True, compute_type="int8")
        if not self._model.model.is_multilingual:
            raise Misconfigured(
                f"LAPORHUB_HOTLINE_AUDIO_MODEL: {folder} knows only English: name the folder of a multilingual model"
            )
        self._name = folder.name

    def transcribe(self, sound: Path) -> Mapping[str, Any]:
        segments, _ = self._model.transcribe(
            self._waves(sound), language="id", word_timestamps=True, vad_filter=True
        )
        return {
            "model": f"faster-whisper {self._name}",
            "segments": [
                {
                    "start": float(each.start),  # some of these are numpy's
                    "end": float(each.end),
                    "text": each.text,
                    "avg_logprob": float(each.avg_logprob),
                    "words": [
                        {"word": word.word, "probability": float(word.probability)}
                        for word in each.words or ()
                    ],
                }
                for each in segments
            ],
        }

    def _waves(self, sound: Path) -> Any:
        try:
            return self._library.decode_audio(str(sound))
        except Exception as error:  # of a library that this one uses, and of many kinds
            raise Unparsable(f"{sound.name} cannot be heard: {error}") from None
