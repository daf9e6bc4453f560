# The image of every node on Vertex AI and Kubeflow, of Dataflow's workers, and of the server.
#   docker build --target cpu .        for everything
#   docker build --target gpu .        for nodes that ask for a GPU: CUDA's libraries as well
#   docker build --target serving .    the server alone: TensorFlow, no TFX; not as root
#   docker build --build-arg STACK=tfx1.16 ...    the older stack (docs/stacks.md)
ARG STACK=tfx1.21

# Give a digest to build from the very same bytes again: --build-arg PYTHON312=python:...@sha256:...
ARG PYTHON312=python:3.12-slim-trixie
ARG PYTHON310=python:3.10-slim-bookworm
ARG BEAM312=apache/beam_python3.12_sdk:2.77.0
ARG BEAM310=apache/beam_python3.10_sdk:2.74.0

FROM ${PYTHON312} AS python-tfx1.21
FROM ${PYTHON310} AS python-tfx1.16

FROM python-tfx1.21 AS tools-tfx1.21
FROM python-tfx1.16 AS tools-tfx1.16
# Of one locked package there is no wheel for Python 3.10.
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*

# Dataflow starts its workers with Beam's boot file, which must be of the lock's version.
FROM ${BEAM312} AS beam-tfx1.21
FROM ${BEAM310} AS beam-tfx1.16
FROM beam-${STACK} AS beam

FROM tools-${STACK} AS build
ARG STACK
WORKDIR /greenlight
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    PATH=/opt/greenlight/bin:$PATH
COPY requirements-${STACK}.lock scripts/sbom.py ./
# The lock is complete, hence --no-deps; builds use the locked setuptools.
# Each file must have one of the lock's hashes.
RUN python -m venv /opt/greenlight && \
    awk '/^[^ #]/ {own = /^(packaging|pip|setuptools|wheel)==/} own' requirements-${STACK}.lock >tools.lock && \
    pip install --no-deps --require-hashes -r tools.lock && \
    pip install --no-deps --no-build-isolation --require-hashes -r requirements-${STACK}.lock && \
    python sbom.py requirements-${STACK}.lock >/opt/greenlight/sbom.json
# The code comes last, so that a change of it builds in seconds.
FROM build AS package
COPY setup.py pyproject.toml README.md LICENSE ./
COPY components ./components
COPY data ./data
COPY pipeline ./pipeline
COPY schemas ./schemas
COPY serving ./serving
RUN pip install --no-deps --no-build-isolation .

FROM package AS cuda
ARG STACK
COPY requirements-gpu-${STACK}.lock ./
# The link has the same name whatever the Python.
RUN pip install --no-deps --require-hashes -r requirements-gpu-${STACK}.lock && \
    python sbom.py requirements-${STACK}.lock requirements-gpu-${STACK}.lock >/opt/greenlight/sbom.json && \
    cd /opt/greenlight && ln -s lib/python3.*/site-packages/nvidia nvidia

FROM python-${STACK} AS server
ARG STACK
WORKDIR /greenlight
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    PATH=/opt/greenlight/bin:$PATH
COPY requirements-serving-${STACK}.lock scripts/sbom.py ./
RUN python -m venv /opt/greenlight && \
    awk '/^[^ #]/ {own = /^(packaging|setuptools|wheel)==/} own' requirements-serving-${STACK}.lock >tools.lock && \
    pip install --no-deps --require-hashes -r tools.lock && \
    pip install --no-deps --only-binary :all: --require-hashes -r requirements-serving-${STACK}.lock && \
    python sbom.py requirements-serving-${STACK}.lock >/opt/greenlight/sbom.json
COPY setup.py pyproject.toml README.md LICENSE ./
COPY components ./components
COPY data ./data
COPY pipeline ./pipeline
COPY schemas ./schemas
COPY serving ./serving
RUN pip install --no-deps --no-build-isolation .

FROM python-${STACK} AS serving
COPY --from=server /opt/greenlight /opt/greenlight
ENV TF_CPP_MIN_LOG_LEVEL=2 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PATH=/opt/greenlight/bin:$PATH
USER 10001:10001
WORKDIR /tmp
EXPOSE 8501
# Models are mounted there: docker run --user $(id -u) -v FOLDER:/models:ro -p 8501:8501 IMAGE
CMD ["greenlight", "serve", "--model-dir", "/models", "--host", "0.0.0.0"]

FROM python-${STACK} AS base
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY deploy/entrypoint /usr/local/bin/entrypoint
# TensorFlow Recommenders needs Keras 2. Without the last one, Beam's boot file would make workers
# an environment of their own, without the packages.
ENV TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=2 PYTHONUNBUFFERED=1 \
    PATH=/opt/greenlight/bin:$PATH RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
# Dataflow gives it options, everybody else a command; Vertex AI and Kubeflow go past it.
ENTRYPOINT ["/usr/local/bin/entrypoint"]

FROM base AS gpu
COPY --from=cuda /opt/greenlight /opt/greenlight
# TensorFlow 2.16 does not look for CUDA's libraries where pip puts them.
ENV CUDA=/opt/greenlight/nvidia
ENV LD_LIBRARY_PATH=$CUDA/cublas/lib:$CUDA/cuda_cupti/lib:$CUDA/cuda_nvrtc/lib:\
$CUDA/cuda_runtime/lib:$CUDA/cudnn/lib:$CUDA/cufft/lib:$CUDA/curand/lib:$CUDA/cusolver/lib:\
$CUDA/cusparse/lib:$CUDA/nccl/lib:$CUDA/nvjitlink/lib:/usr/local/nvidia/lib64

FROM base AS cpu
COPY --from=package /opt/greenlight /opt/greenlight
