"""Where the faces are: MTCNN through ONNX Runtime, all of them or the largest one soon."""
