# The image of every node on Vertex AI and Kubeflow, of Dataflow's workers, and of the server.
#   docker build --target cpu .        for everything
#   docker build --target gpu .        for nodes that ask for a GPU: CUDA's libraries as well
#   docker build --target serving .    the server alone: TensorFlow, no TFX; not as root

# Give a digest to build from the very same bytes again: --build-arg PYTHON=python:...@sha256:...
ARG PYTHON=python:3.10-slim-bookworm
ARG BEAM=apache/beam_python3.10_sdk:2.74.0

# Dataflow starts its workers with Beam's boot file, which must be of the lock's version.
FROM ${BEAM} AS beam

FROM ${PYTHON} AS build
# Of one locked package there is no wheel for Python 3.10.
RUN apt-get update && apt-get install -y --no-install-recommends g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /greenlight
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements-tfx1.16.lock scripts/sbom.py ./
# The lock is complete, hence --no-deps; builds use the locked setuptools.
# Each file must have one of the lock's hashes.
RUN awk '/^[^ #]/ {own = /^(packaging|pip|setuptools|wheel)==/} own' requirements-tfx1.16.lock >tools.lock && \
    pip install --no-deps --require-hashes -r tools.lock && \
    pip install --no-deps --no-build-isolation --require-hashes -r requirements-tfx1.16.lock && \
    python sbom.py requirements-tfx1.16.lock >/usr/local/sbom.json
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
COPY requirements-gpu.lock ./
RUN pip install --no-deps --require-hashes -r requirements-gpu.lock && \
    python sbom.py requirements-tfx1.16.lock requirements-gpu.lock >/usr/local/sbom.json

FROM ${PYTHON} AS server
WORKDIR /greenlight
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements-serving.lock scripts/sbom.py ./
RUN awk '/^[^ #]/ {own = /^(packaging|setuptools|wheel)==/} own' requirements-serving.lock >tools.lock && \
    pip install --no-deps --require-hashes -r tools.lock && \
    pip install --no-deps --only-binary :all: --require-hashes -r requirements-serving.lock && \
    python sbom.py requirements-serving.lock >/usr/local/sbom.json
COPY setup.py pyproject.toml README.md LICENSE ./
COPY components ./components
COPY data ./data
COPY pipeline ./pipeline
COPY schemas ./schemas
COPY serving ./serving
RUN pip install --no-deps --no-build-isolation .

FROM ${PYTHON} AS serving
COPY --from=server /usr/local/lib/python3.10/site-packages /usr/local/lib/python3.10/site-packages
COPY --from=server /usr/local/bin/greenlight /usr/local/bin/greenlight
COPY --from=server /usr/local/sbom.json /usr/local/sbom.json
ENV TF_CPP_MIN_LOG_LEVEL=2 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /tmp
EXPOSE 8501
# Models are mounted there: docker run --user $(id -u) -v FOLDER:/models:ro -p 8501:8501 IMAGE
CMD ["greenlight", "serve", "--model-dir", "/models", "--host", "0.0.0.0"]

FROM ${PYTHON} AS base
COPY --from=beam /opt/apache/beam /opt/apache/beam
COPY deploy/entrypoint /usr/local/bin/entrypoint
# TensorFlow Recommenders needs Keras 2. Without the last one, Beam's boot file would make workers
# an environment of their own, without the packages.
ENV TF_USE_LEGACY_KERAS=1 TF_CPP_MIN_LOG_LEVEL=2 PYTHONUNBUFFERED=1 \
    RUN_PYTHON_SDK_IN_DEFAULT_ENVIRONMENT=1
# Dataflow gives it options, everybody else a command; Vertex AI and Kubeflow go past it.
ENTRYPOINT ["/usr/local/bin/entrypoint"]

FROM base AS gpu
COPY --from=cuda /usr/local/lib/python3.10/site-packages /usr/local/lib/python3.10/site-packages
COPY --from=cuda /usr/local/bin /usr/local/bin
COPY --from=cuda /usr/local/sbom.json /usr/local/sbom.json
# TensorFlow 2.16 does not look for CUDA's libraries where pip puts them.
ENV CUDA=/usr/local/lib/python3.10/site-packages/nvidia
ENV LD_LIBRARY_PATH=$CUDA/cublas/lib:$CUDA/cuda_cupti/lib:$CUDA/cuda_nvrtc/lib:\
$CUDA/cuda_runtime/lib:$CUDA/cudnn/lib:$CUDA/cufft/lib:$CUDA/curand/lib:$CUDA/cusolver/lib:\
$CUDA/cusparse/lib:$CUDA/nccl/lib:$CUDA/nvjitlink/lib:/usr/local/nvidia/lib64

FROM base AS cpu
COPY --from=package /usr/local/lib/python3.10/site-packages /usr/local/lib/python3.10/site-packages
COPY --from=package /usr/local/bin /usr/local/bin
COPY --from=package /usr/local/sbom.json /usr/local/sbom.json
