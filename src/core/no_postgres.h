// Fails the build when a PostgreSQL header leaks into code that may throw.
#pragma once

#if defined(POSTGRES_H) || defined(PG_VERSION_NUM) || defined(C_H)
#error "core, image, learn, worker and tools must not see a PostgreSQL header"
#endif
