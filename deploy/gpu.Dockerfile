# syntax=docker/dockerfile:1
# The service's image and what reads on an NVIDIA GPU: PyTorch for lines, ONNX Runtime with CUDA for finding them.
# Build the service's image first: docker compose -f deploy/compose.yaml build api

ARG BASE=headstone-ocr:0.1.0
FROM ${BASE}
USER 0
# The versions are those of the extra "torch" in pyproject.toml. ONNX Runtime's two distributions fill the same folder.
RUN python -m pip install --no-cache-dir torch==2.13.0 onnx==1.23.2 transformers==5.23.0 && \
    python -m pip uninstall --yes onnxruntime && \
    python -m pip install --no-cache-dir --no-deps onnxruntime-gpu==1.31.1
ENV HEADSTONE_ENGINE=torch HEADSTONE_DEVICE=cuda
USER 10001
