# The same image runs web, worker, beat and the mail receiver: only the command differs.
FROM python:3.11-slim AS build
WORKDIR /srv/portal
COPY requirements/base.txt requirements/base.txt
RUN python -m venv /srv/venv && /srv/venv/bin/pip install --no-cache-dir --require-hashes -r requirements/base.txt

FROM python:3.11-slim
ENV PATH=/srv/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/srv/data
RUN useradd --system --uid 10001 --home-dir /srv/portal portal \
    && install -d -o portal -g portal /srv/data
WORKDIR /srv/portal
COPY --from=build /srv/venv /srv/venv
COPY . .
# A throw-away key: collecting static files reads the settings and stores nothing secret.
RUN SECRET_KEY=only-for-this-build-step-only-for-this-build-step-1234 STATIC_DIR=/srv/static \
    python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q .
ENV STATIC_DIR=/srv/static
USER portal
EXPOSE 8000 2525
CMD ["granian", "--interface", "asgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--respawn-failed-workers", "--no-access-log", "tlsrpt_portal.asgi:application"]
