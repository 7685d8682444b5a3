#include <microhttpd.h>
#include <netinet/in.h>

// Swift cannot call C functions of variable arguments.

/// Starts a daemon without a thread and without a listening socket of its own: connections are given to it. Null if there
/// is no memory or no descriptor left, which errno tells.
static inline struct MHD_Daemon *flywheel_mhd_start(
    unsigned int connection_limit, size_t memory_limit, MHD_AccessHandlerCallback handler, void *context,
    MHD_RequestCompletedCallback completed, MHD_NotifyConnectionCallback notified
) {
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, handler, context,
        MHD_OPTION_CONNECTION_LIMIT, connection_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, memory_limit,
        MHD_OPTION_NOTIFY_COMPLETED, completed, context,
        MHD_OPTION_NOTIFY_CONNECTION, notified, context,
        MHD_OPTION_END
    );
}

/// The descriptor that is readable when the daemon has something to do; -1 if unknown.
static inline int flywheel_mhd_descriptor(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info == NULL ? -1 : info->epoll_fd;
}

/// The socket of a connection; -1 if unknown.
static inline int flywheel_mhd_socket(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

/// Not 0 if the connection is about to be closed.
static inline int flywheel_mhd_is_end(enum MHD_ConnectionNotificationCode code) {
    return code == MHD_CONNECTION_NOTIFY_CLOSED;
}
