import Foundation

/// Resources that this process has used so far.
struct ProcessUsage {
    /// User and system time, in seconds.
    let processor: Double
    /// Monotonic time, in seconds from an arbitrary start.
    let clock: Double
    /// Peak memory of the process, in MB.
    let peakMemory: Double

    static func now() -> ProcessUsage {
        var usage = rusage()
        getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return ProcessUsage(
            processor: seconds(usage.ru_utime) + seconds(usage.ru_stime),
            clock: Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9,
            peakMemory: Double(usage.ru_maxrss) / 1_024
        )
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) * 1e-6 }
}

/// Resources that another process has used so far, as reported by the kernel.
struct OtherProcessUsage {
    /// User and system time.
    let seconds: Double
    /// Resident memory now, in MB.
    let memory: Double

    init(of process: pid_t) throws {
        let folder = "/proc/\(process)"
        let fields = try String(contentsOfFile: "\(folder)/stat", encoding: .utf8).split(separator: ")").last?
            .split(separator: " ")
        let pages = try String(contentsOfFile: "\(folder)/statm", encoding: .utf8).split(separator: " ")
        guard let fields, fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]),
            pages.count > 1, let resident = Double(pages[1])
        else { throw BenchmarkError("\(folder)/stat is not as it should be") }
        seconds = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
        memory = resident * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
    }
}
