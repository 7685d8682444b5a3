import Foundation
import KafkaTesting
import Processes
import Testing

/// Prerequisites of the examples outside this repository.
enum Prerequisites {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Path of the Python interpreter: `FLYWHEEL_PYTHON`, or that of `.venv` at the root.
    static let python: String =
        ProcessInfo.processInfo.environment["FLYWHEEL_PYTHON"]
        ?? root.appendingPathComponent(".venv/bin/python").path

    /// Path of the program `flywheel`, built beside this test.
    static let flywheel: String = {
        let beside = Bundle.main.bundleURL.appendingPathComponent("flywheel").path
        let built = root.appendingPathComponent(".build/debug/flywheel").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : built
    }()

    /// The reason why the examples cannot run on this machine; nil if they can.
    static let missing: String? = {
        guard FileManager.default.isExecutableFile(atPath: python) else {
            return "there is no interpreter at \(python): name one with FLYWHEEL_PYTHON"
        }
        let imports = try? ChildProcess.run(python, ["-c", "import confluent_kafka, numpy, sklearn"])
        guard imports?.status == .exited(0) else {
            return "\(python) lacks a package: install docs/examples/requirements.txt"
        }
        guard FileManager.default.isExecutableFile(atPath: flywheel) else {
            return "\(flywheel) is not built: run `swift build`"
        }
        if case .failure(let error) = BrokerProcess.shared { return "there is no broker: \(error)" }
        return nil
    }()

    /// Condition for the trait of a test: prints the missing prerequisite once.
    static let areMet: Bool = {
        if let missing { print("examples skipped: \(missing)") }
        return missing == nil
    }()
}
