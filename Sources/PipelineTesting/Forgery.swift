package import Events
package import Flywheel
internal import Foundation
package import Intake
internal import JSON
internal import StreamRuntime
package import StreamTesting
internal import Testing
internal import Vocabulary

/// Helpers shared by tests of tokens.
package enum Forgery {
    /// The scenario's configuration, as `project apply` writes it first.
    package static func configurationRequiringTokens(_ isRequired: Bool? = true) -> ProjectConfiguration {
        Scenario.configuration().numbered(revision: 1, partition: Scenario.partition, requireTokens: isRequired)
    }

    package static func counts(_ runner: ProcessorRunner) throws -> IntakeCounts {
        try #require(runner.processor as? IntakeProcessor).counts
    }

    package static func deadLetters(_ pipeline: Pipeline) -> [String] {
        pipeline.cluster.committed(pipeline.topics[.deadLetters]).compactMap { $0.header("flywheel.reason.code") }
    }

    package static func answer(_ task: String, _ token: RequestToken?, by annotator: String = "a") -> [UInt8] {
        Wire.annotation(task, annotator, .answer(.choice(ClassIndex(0))), token: token)
    }

    package static func result(_ request: String, _ repetition: Int, _ token: String?) -> [UInt8] {
        let token = token.map { #","token":"\#($0)""# } ?? ""
        return Array(
            #"{"project":"shapes","request":"\#(request)","trial":0,"repeat":\#(repetition),"status":"finished","artifact":{"uri":"https://evil.example/model.pkl","size":1,"sha256":"\#(String(repeating: "0", count: 64))"}\#(token)}"#
                .utf8
        )
    }
}
