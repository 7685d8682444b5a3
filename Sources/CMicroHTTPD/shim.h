#include <microhttpd.h>
#include <netinet/in.h>

// Swift cannot call C functions of variable arguments.

/// Starts a daemon without a thread of its own, on that address. Null if the address cannot be had.
static inline struct MHD_Daemon *flywheel_mhd_start(
    const struct sockaddr_in *address, unsigned int connection_limit, unsigned int timeout_seconds,
    MHD_AccessHandlerCallback handler, void *context, MHD_RequestCompletedCallback completed
) {
    return MHD_start_daemon(
        MHD_USE_EPOLL, 0, NULL, NULL, handler, context,
        MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)address,
        MHD_OPTION_CONNECTION_LIMIT, connection_limit,
        MHD_OPTION_CONNECTION_TIMEOUT, timeout_seconds,
        MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
        MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
        MHD_OPTION_END
    );
}

/// The port that the daemon listens on; 0 if unknown.
static inline uint16_t flywheel_mhd_port(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info == NULL ? 0 : info->port;
}
