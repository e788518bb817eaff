# The hub's own image: web, worker, connectors, setup and simulators are commands of it.
ARG PYTHON=python:3.11.14-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
RUN python -m venv /opt/laporhub
COPY requirements-distributed.txt ./
RUN /opt/laporhub/bin/pip install --require-hashes -r requirements-distributed.txt
COPY pyproject.toml README.md LICENSE ./
COPY pipeline ./pipeline
COPY connectors ./connectors
COPY classifiers ./classifiers
COPY sinks ./sinks
COPY dashboards ./dashboards
COPY reports ./reports
COPY web ./web
COPY hub ./hub
COPY simulators ./simulators
COPY profiles ./profiles
RUN /opt/laporhub/bin/pip install --no-deps .

FROM ${PYTHON}
RUN useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin laporhub \
    && install -d -o laporhub -g laporhub -m 700 /data
COPY --from=build /opt/laporhub /opt/laporhub
ENV PATH=/opt/laporhub/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LAPORHUB_DATA=/data
# A rebuild sorts all events in a file: on the volume, not in memory as /tmp is.
ENV TMPDIR=/data
WORKDIR /data
VOLUME /data
USER laporhub
ENTRYPOINT ["laporhub"]
CMD ["serve", "--host", "0.0.0.0"]
