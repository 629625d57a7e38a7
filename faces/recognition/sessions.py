"""ONNX Runtime: every option that this project gives it. No other file imports it."""

from __future__ import annotations

import functools
import os
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime


def import_onnxruntime() -> ModuleType:
    """ONNX Runtime, imported at the first call, with its reports to its maker turned off.

    Its wheels send reports of use to Microsoft unless this variable is set before the import. A program that is shown
    faces must not report to anybody. Besides, the thread that sends the reports is lost in a fork, and then keeps the
    service's workers from ending.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    module: ModuleType = onnxruntime
    return module


def open_session(model: bytes) -> onnxruntime.InferenceSession:
    """A session that runs a network on the CPU. It does not survive a fork.

    A session has one thread: faces/threads.py says why.

    Args:
        model: the content of an ONNX file.
    """
    runtime = import_onnxruntime()
    _share_memory()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.use_env_allocators", "1")  # the memory that _share_memory has made
    return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@functools.cache
def _share_memory() -> None:
    """Make one pool of working memory for all sessions of this process, once.

    The pool grows by what is asked for. By default each session has a pool, which grows by powers of two.
    """
    runtime = import_onnxruntime()
    cpu = runtime.OrtMemoryInfo("Cpu", runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, runtime.OrtMemType.DEFAULT)
    grow_by_what_is_asked_for = {"arena_extend_strategy": 1}
    runtime.create_and_register_allocator(cpu, runtime.OrtArenaCfg(grow_by_what_is_asked_for))
