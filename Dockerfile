# The service alone: no torch, no photos. The models come from outside:
#   docker build -t face-verification .
#   docker run -p 5000:5000 -v "$PWD/models:/app/models:ro" face-verification
FROM python:3.11-slim-bookworm

# MALLOC_ARENA_MAX: one heap for all threads of a worker, as service/run_gunicorn.sh says.
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=1

WORKDIR /app

COPY service/requirements.txt service/requirements.txt
RUN pip install --no-cache-dir -r service/requirements.txt \
    && useradd --system --no-create-home --uid 10001 service \
    && install --directory --owner=10001 --mode=700 /state

COPY faces/ faces/
COPY service/ service/
# API keys and the audit log: mount a volume at /state to keep them.
ENV KEYS_PATH=/state/api_keys.json \
    AUDIT_HEAD_PATH=/state/kept-apart/audit_head.jsonl \
    AUDIT_SALTS_PATH=/state/kept-apart/audit_salts
# To ship the models inside the image instead of mounting them:
# COPY models/ models/

USER 10001
EXPOSE 5000

# Whether photos can be verified (the file says why it asks /healthz).
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-I", "service/healthcheck.py"]

CMD ["gunicorn", "-c", "service/gunicorn.conf.py", "service:create_app()"]
