#pragma once

#include <spawn.h>

// Two calls of glibc that its Swift module leaves out, because it is built without _GNU_SOURCE.

/// The new process starts in that directory. Returns 0 or an error number.
int flywheel_spawn_add_chdir(posix_spawn_file_actions_t *actions, const char *path);

/// The new process gets no descriptor from that number on. Returns 0 or an error number.
int flywheel_spawn_add_closefrom(posix_spawn_file_actions_t *actions, int first);
