# The server: docker build -t rdrface . && docker run --rm -p 127.0.0.1:8000:8000 rdrface
FROM python:3.13-slim AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src src
# The wheel and the packages that it needs, as pinned. Only this stage has the sources and the cache of pip.
RUN python -m venv /opt/rdrface \
    && /opt/rdrface/bin/pip install --no-cache-dir --constraint constraints.txt ".[serve]"

FROM python:3.13-slim
COPY --from=build /opt/rdrface /opt/rdrface
RUN useradd --system --no-create-home --uid 10001 --shell /usr/sbin/nologin rdrface
USER 10001
ENV PATH=/opt/rdrface/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
# In a container, loopback cannot be reached from outside. Publish the port on 127.0.0.1 of the host, see compose.yaml.
ENTRYPOINT ["rdrface", "serve", "--host", "0.0.0.0"]
