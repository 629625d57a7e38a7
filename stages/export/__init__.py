"""Stage export: the networks as ONNX, checked against their torch originals."""
