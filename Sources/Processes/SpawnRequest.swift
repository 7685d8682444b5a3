import CSpawn
import Glibc

/// Destination or source of a stream of a new process.
public enum ProcessStream: Hashable, Sendable {
    /// The stream of this process.
    case inherit
    /// No destination: output is dropped, and reads find the end at once.
    case null
    /// A file, created if it does not exist, and truncated first unless `appending`.
    case file(String, appending: Bool = false)
    /// An open descriptor of this process.
    case descriptor(Int32)
}

/// Arguments of `posix_spawnp`; owns the C objects for the duration of one call.
struct SpawnRequest: ~Copyable {
    private var actions = posix_spawn_file_actions_t()
    private var attributes = posix_spawnattr_t()
    private let operation: String

    init(operation: String) throws(ProcessError) {
        self.operation = operation
        try Self.check(posix_spawn_file_actions_init(&actions), operation)
        let code = posix_spawnattr_init(&attributes)
        if code != 0 {
            posix_spawn_file_actions_destroy(&actions)
            // The struct is fully initialised, so its deinit runs: both C objects must be valid.
            _ = posix_spawn_file_actions_init(&actions)
            throw ProcessError(operation, code: code)
        }
        // The child starts with no signal blocked or ignored, whatever this thread and process have set.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        try Self.check(posix_spawnattr_setsigmask(&attributes, &none), operation)
        try Self.check(posix_spawnattr_setsigdefault(&attributes, &all), operation)
        let flags = Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
        try Self.check(posix_spawnattr_setflags(&attributes, flags), operation)
    }

    deinit {
        var actions = actions
        var attributes = attributes
        posix_spawn_file_actions_destroy(&actions)
        posix_spawnattr_destroy(&attributes)
    }

    private static func check(_ code: Int32, _ operation: String) throws(ProcessError) {
        if code != 0 { throw ProcessError(operation, code: code) }
    }

    mutating func connect(_ descriptor: Int32, to stream: ProcessStream) throws(ProcessError) {
        let isInput = descriptor == STDIN_FILENO
        switch stream {
        case .inherit: break
        case .null:
            let flags = isInput ? O_RDONLY : O_WRONLY
            try Self.check(posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", flags, 0), operation)
        case .file(let path, let appending):
            let mode = appending ? O_APPEND : O_TRUNC
            let flags = isInput ? O_RDONLY : O_WRONLY | O_CREAT | mode
            try Self.check(posix_spawn_file_actions_addopen(&actions, descriptor, path, flags, 0o644), operation)
        case .descriptor(let other):
            try Self.check(posix_spawn_file_actions_adddup2(&actions, other, descriptor), operation)
        }
    }

    mutating func changeDirectory(to path: String) throws(ProcessError) {
        try Self.check(flywheel_spawn_add_chdir(&actions, path), operation)
    }

    /// Starts the process; every descriptor above standard error is closed in it.
    mutating func spawn(_ arguments: [String], environment: [String]) throws(ProcessError) -> pid_t {
        try Self.check(flywheel_spawn_add_closefrom(&actions, STDERR_FILENO + 1), operation)
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        var environmentPointers = environment.map { strdup($0) } + [nil]
        defer {
            for pointer in argumentPointers { free(pointer) }
            for pointer in environmentPointers { free(pointer) }
        }
        var pid: pid_t = 0
        let code = posix_spawnp(&pid, arguments[0], &actions, &attributes, &argumentPointers, &environmentPointers)
        try Self.check(code, operation)
        return pid
    }
}
