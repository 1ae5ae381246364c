-- Written by `bun run generate` from database/roles.ts.
create role signup_migrate login password 'only-for-development';
create role signup_api login password 'only-for-development';
create role signup_consumer login password 'only-for-development';
create role signup_ops login password 'only-for-development';
grant usage, create on schema public to signup_migrate;
grant pg_read_all_stats to signup_ops;
