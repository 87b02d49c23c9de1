# The image of the reference API. Nothing secret is in it: settings and secrets come from the environment when it runs.
#
#   docker build -t reference-api .
#   docker run --rm --env-file deploy/staging.env -e ADMIN_PASSWORD … -v data:/data reference-api \
#       python -m reference_impl set-up --tenants alpha --admin-email admin@example.test
#   docker run --read-only --tmpfs /tmp --cap-drop ALL -p 8000:8000 --env-file deploy/staging.env … -v data:/data reference-api
#
# Migration and set-up are commands of the same image, run before it serves; compose.yaml shows both.
ARG PYTHON_IMAGE=python:3.13-slim

FROM ${PYTHON_IMAGE} AS packages
WORKDIR /build
# A wildcard may match nothing: where deploy/wheelhouse.py has put wheels, nothing is asked of the network. Run it again
# when constraints.txt has changed, or remove wheelhouse/.
COPY deploy/requirements.py pyproject.toml constraints.txt wheelhouse* ./
RUN python requirements.py reference >requirements.txt \
 && python -m venv --without-pip /srv/api \
 && if ls ./*.whl >/dev/null 2>&1; then set -- --no-index --find-links .; fi \
 && python -m pip --python /srv/api/bin/python install --no-cache-dir --disable-pip-version-check \
        -r requirements.txt -c constraints.txt "$@"
COPY reference_impl /srv/api/app/reference_impl
RUN python -m compileall -q -j 0 /srv/api/app

FROM ${PYTHON_IMAGE}
COPY --from=packages /srv/api /srv/api
# A number, so that an orchestrator can tell that it is not root; the folder is what a fresh volume's owner comes from.
RUN mkdir /data && chown 10001:10001 /data
ENV PATH=/srv/api/bin:$PATH PYTHONPATH=/srv/api/app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp API_DATA=/data
WORKDIR /srv/api/app
USER 10001:10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["python", "-m", "reference_impl", "serve", "--host", "0.0.0.0", "--port", "8000"]
