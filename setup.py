"""Greenlight as an installable package: what Dataflow and Vertex workers install too."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="greenlight",
    version="0.1.0",
    description="Trains, judges and ships movie recommenders with TFX",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    keywords="recommender retrieval ranking movies tfx tensorflow-recommenders vertex-ai",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.10,<3.13",
    # A package_dir makes the editable install a plain path, so new packages are seen at once.
    package_dir={"": "."},
    packages=find_packages(
        include=[
            f"{name}{tail}"
            for name in ("greenlight", "pipeline", "components", "schemas", "serving", "data")
            for tail in ("", ".*")
        ]
    ),
    package_data={
        "components": [f"{page}/templates/*" for page in ("explore", "pages", "report", "tuner")],
        "schemas": ["**/*.yaml", "**/*.pbtxt", "**/*.json"],
        "serving": ["page/*"],
        "data": [f"ml-latest-small/{name}" for name in ("ratings.csv", "movies.csv", "README.txt")],
    },
    zip_safe=False,
    # Wide enough for both stacks; what was tried together is what each lock holds.
    install_requires=[
        "altair>=6.2,<7",
        "apache-beam[gcp]>=2.74,<2.78",
        "dill==0.3.1.1",  # Beam made it an extra; TFT, TFX-BSL and TFDV import it all the same
        "fastapi>=0.115,<1",
        "grpcio>=1.60,<2",
        "httptools>=0.6,<1",
        "ipykernel>=6,<8",  # TFMA's widgets import it, and do not say so
        "jinja2>=3.1,<4",
        "jsonschema>=4.20,<5",
        "keras-tuner>=1.4.7,<1.5",
        "kfp>=2.5,<3",  # the extra of newer TFX leaves it out on Python 3.12
        "numpy>=1.26,<3",
        "orjson>=3.10,<4",
        "pandas>=1.5,<3",
        "prometheus-client>=0.20,<1",
        "pyarrow>=10,<19",
        "pyarrow-hotfix>=0.6,<1",  # closes CVE-2023-47248 in pyarrow 10
        "pydantic>=2.7,<3",
        "pyyaml>=6,<7",
        "rapidfuzz>=3.9,<4",
        "rich>=13.7,<16",
        "scikit-learn>=1.5,<2",  # KerasTuner imports it for Bayesian searches, and does not say so
        "scipy>=1.10,<2",
        "starlette>=0.46,<2",
        "tensorboard>=2.16,<2.22",  # training writes summaries; newer TensorFlow leaves it out
        "tensorflow>=2.16.2,<2.22",
        "tensorflow-recommenders>=0.7.7,<0.8",
        "tf-keras>=2.16,<2.22",
        "tfx[kfp]>=1.16,<1.22",
        "typer>=0.12,<1",
        "uvicorn>=0.30,<1",
        "uvloop>=0.19,<1",
        "vl-convert-python>=1.9,<2",
    ],
    extras_require={
        # The peers that benchmarks/accuracy.py compares with.
        "benchmarks": [
            "implicit>=0.7,<0.8",
            "lightfm-next>=1.19,<2",
            "myfm>=0.3.6,<0.4",
            "scikit-surprise>=1.1.4,<2",
        ],
        # What `greenlight index` needs, and whoever loads what it writes. No release is built for
        # TensorFlow 2.21, the only one on Python 3.12, and with another TFRS does not load.
        "index": ["scann>=1.3.2,<1.3.3; python_version < '3.12'"],
        "dev": [
            "httpx>=0.27,<1",
            "hypothesis>=6.100",
            "import-linter>=2.15,<3",
            "mypy>=1.10",
            "pip>=23",
            "pyarrow-stubs>=20,<21",  # the oldest that know Arrow's functions hold for Arrow 10 too
            "pytest>=8",
            "pytest-cov>=7",
            "pytest-xdist>=3.6",
            "ruff>=0.6",
            "scann>=1.3.2,<1.3.3; python_version < '3.12'",
            "schemathesis>=4,<5",
            "types-jsonschema",
            "types-protobuf>=3.20,<7",
            "types-pyyaml",
            "websocket-client>=1.8",
        ],
    },
    entry_points={"console_scripts": ["greenlight = pipeline.cli:main"]},
)
