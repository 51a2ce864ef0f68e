// How the allocator of the worker, jemalloc, behaves (docs/adr/0008-workers-allocate-with-jemalloc.md).

// Read by jemalloc before main. Tasks free what the next ones allocate again: pages stay (dirty_decay_ms), of
// large blocks too (oversize_threshold), until an idle worker returns them, and serve much smaller blocks
// as well (lg_extent_max_active_fit). One arena, so that threads find what others freed. What is returned
// does not count against a limit of the process any longer (retain).
extern "C" const char* malloc_conf;
const char* malloc_conf =
    "narenas:1,oversize_threshold:0,dirty_decay_ms:-1,lg_extent_max_active_fit:10,retain:false";
