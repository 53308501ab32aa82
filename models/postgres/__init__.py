"""The only package that imports aiopg, psycopg2 and yoyo: connections, statements, migrations."""
