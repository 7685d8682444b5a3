#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A short wait before a call is made again, on a thread that may block.
enum Pause {
    static func milliseconds(_ count: Int) {
        var time = timespec(tv_sec: count / 1000, tv_nsec: (count % 1000) * 1_000_000)
        nanosleep(&time, nil)
    }
}
