# One image for every part: web, pump, worker, migrate, and `up` with everything embedded.
FROM python:3.13-slim AS packages
WORKDIR /app
COPY requirements.lock requirements-bootstrap.lock ./
RUN python -m venv .venv \
 && .venv/bin/python -m pip install --no-cache-dir --require-hashes -r requirements-bootstrap.lock \
 && VIRTUAL_ENV=/app/.venv .venv/bin/python -m uv pip install --no-cache --compile-bytecode --require-hashes -r requirements.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin vfos \
 && install -d -o vfos -g vfos /data
WORKDIR /app
COPY --from=packages /app/.venv .venv
COPY . .
USER vfos
ENV VFOS_HOME=/data VFOS_BIND=0.0.0.0 PYTHONDONTWRITEBYTECODE=1
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["./vfos"]
CMD ["up"]
