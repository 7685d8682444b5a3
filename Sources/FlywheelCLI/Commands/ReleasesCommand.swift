import Arguments
import EngineCore
import Events
import Foundation
import Hashing
import JSON
import KafkaTransport
import Operations
import Telemetry
import Vocabulary
import Worker

/// `flywheel releases`.
enum ReleasesCommand {
    static func register(_ arguments: ParsedArguments) throws -> Bool {
        let model = try incumbent(arguments)
        let name = try arguments.requiredString("project")
        let worker = try WorkerFile.connected(arguments)
        let registration = ModelRegistration(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics
        )
        let outcome = try registration.send(
            model,
            project: name,
            by: arguments.string("by") ?? NSUserName(),
            reason: arguments.string("reason") ?? ""
        )
        switch outcome {
        case .champion:
            Terminal.show("\(model.version) is champion of \(ForeignText.line(name))")
            return true
        case .alreadyChampion:
            Terminal.show("\(model.version) is champion of \(ForeignText.line(name)) already; nothing was sent")
            return true
        case .waiting:
            Terminal.show(
                "sent, but no worker has carried it out yet: see flywheel status once intake and loop run. Do not send it again"
            )
            return true
        case .refused(let champion):
            let why = champion.map { "\($0) has become champion" } ?? "see flywheel dead-letters list"
            Terminal.complain("refused: \(ForeignText.line(why, limit: 300))")
            return false
        }
    }

    /// Rolls back, holds or freezes releases or suppresses a class, or ends a hold, a freeze or a suppression.
    static func control(_ order: ReleaseControl.Order, _ arguments: ParsedArguments) throws -> Bool {
        let name = try arguments.requiredPositional("project")
        let reason = try arguments.requiredString("reason")
        let isAboutClass = order == .suppress || order == .unsuppress
        let worker = try WorkerFile.connected(arguments)
        let control = ReleaseControl(transport: KafkaStreamTransport(properties: worker.kafka), topics: worker.topics)
        let outcome = try control.send(
            order,
            version: order == .rollBack ? arguments.string("from").map { ModelVersion($0) } : nil,
            className: isAboutClass ? try arguments.requiredPositional("class") : nil,
            project: name,
            by: arguments.string("by") ?? NSUserName(),
            reason: reason
        )
        let project = ForeignText.line(name)
        switch outcome {
        case .waiting:
            let advice = order == .rollBack || isAboutClass ? "Do not send it again" : "Sending it again does no harm"
            Terminal.complain(
                "sent, but no worker has carried it out yet: see flywheel releases show \(project). \(advice)"
            )
            return false
        case .refused(let live):
            guard isAboutClass, let name = arguments.positional("class") else {
                Terminal.complain("refused: \(serving(live)) now; see flywheel releases log \(project)")
                return false
            }
            let obstacle = order == .suppress ? "already suppressed, or one of the last two" : "not suppressed"
            Terminal.complain(
                "refused: class \(ForeignText.line(name)) is \(obstacle); see flywheel releases show \(project)"
            )
            return false
        case .withdrawn(let canary, let live):
            let version = ForeignText.line(canary.rawValue)
            Terminal.show("\(project): \(version) was withdrawn and is quarantined; \(serving(live)) as before")
            return true
        case .done(let live, let replaced):
            let instead = replaced.map { ", instead of \(ForeignText.line($0.rawValue))" } ?? ""
            let classPrefix = isAboutClass ? "\(ForeignText.line(try arguments.requiredPositional("class"))): " : ""
            Terminal.show("\(project): \(classPrefix)\(state(after: order)); \(serving(live))\(instead)")
            return true
        }
    }

    private static func serving(_ live: ModelVersion?) -> String {
        live.map { "\(ForeignText.line($0.rawValue)) is live" } ?? "no version is live"
    }

    private static func state(after order: ReleaseControl.Order) -> String {
        switch order {
        case .rollBack: "rolled back"
        case .hold: "promotions are held"
        case .unhold: "promotions are no longer held"
        case .freeze: "releases are frozen"
        case .unfreeze: "releases are no longer frozen"
        case .suppress: "the class is suppressed"
        case .unsuppress: "the class is no longer suppressed"
        }
    }

    static func approve(_ arguments: ParsedArguments) throws -> Bool {
        let name = try arguments.requiredPositional("project")
        let text = try arguments.requiredPositional("version")
        guard let version = ModelVersion(checking: text), ForeignText.isPlain(text) else {
            throw arguments.failure("version: expected 1 to 256 bytes without control characters, \(found(text))")
        }
        let worker = try WorkerFile.connected(arguments)
        let approval = ReleaseApproval(
            transport: KafkaStreamTransport(properties: worker.kafka),
            topics: worker.topics
        )
        let outcome = try approval.send(
            version,
            project: name,
            by: arguments.string("by") ?? NSUserName(),
            reason: arguments.string("reason") ?? "approved"
        )
        let project = ForeignText.line(name)
        switch outcome {
        case .done(let step):
            let rolloutState = step.map { "its rollout is at step \($0)" } ?? "its rollout is over"
            Terminal.show("\(project): \(version) is approved; \(rolloutState)")
            return true
        case .refused:
            Terminal.complain(
                "refused: no rollout of \(version) waits for approval, see flywheel releases show \(project)"
            )
            return false
        case .waiting:
            Terminal.complain(
                "sent, but no worker has carried it out yet: see flywheel releases show \(project). Sending it again does no harm"
            )
            return false
        }
    }

    private static func incumbent(_ arguments: ParsedArguments) throws -> IncumbentModel {
        let name = try arguments.requiredPositional("version")
        guard let version = ModelVersion(checking: name), ForeignText.isPlain(name) else {
            throw arguments.failure("version: expected 1 to 256 bytes without control characters, \(found(name))")
        }
        return IncumbentModel(version: version, artifact: try artifact(arguments), metrics: try metrics(arguments))
    }

    private static func artifact(_ arguments: ParsedArguments) throws -> ArtifactReference {
        let given = try arguments.requiredString("artifact")
        // A path is accepted in place of its URI.
        let uri = given.contains(":") ? given : URL(filePath: given).absoluteURL.absoluteString
        guard (1...ArtifactReference.longestURI).contains(uri.utf8.count),
            uri.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C })
        else {
            throw arguments.failure(
                "--artifact: expected a URI of 1 to \(ArtifactReference.longestURI) bytes (RFC 3986: ASCII, no quotes), \(found(uri))"
            )
        }
        var size = try arguments.int("size", in: 0...Int.max).map { Int64($0) }
        var digest = arguments.string("sha256")?.lowercased()
        if let digest, digest.utf8.count != 64 || !digest.utf8.allSatisfy({ "0123456789abcdef".utf8.contains($0) }) {
            throw arguments.failure("--sha256: expected 64 hexadecimal digits, found \"\(digest.prefix(80))\"")
        }
        if let path = ArtifactURI(uri)?.filePath {
            let bytes = try InputFile.contents(of: path)
            let found = SHA256Digest(of: bytes).hex
            guard digest == nil || digest == found, size == nil || size == Int64(bytes.count) else {
                throw EngineError(
                    "register \(uri)",
                    "the file has \(bytes.count) bytes and SHA-256 \(found), which differs from --size or --sha256",
                    remedy: "leave out --sha256 and --size, or name the right file"
                )
            }
            (size, digest) = (Int64(bytes.count), found)
        }
        return ArtifactReference(uri: uri, size: size, sha256: digest)
    }

    private static func metrics(_ arguments: ParsedArguments) throws -> [ModelMetric] {
        var metrics: [ModelMetric] = []
        for text in arguments.strings("metrics") {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, (1...ModelMetric.longestName).contains(parts[0].utf8.count),
                let value = Double(parts[1]), value.isFinite,
                !metrics.contains(where: { $0.name == parts[0] })
            else {
                throw arguments.failure(
                    "--metrics: expected NAME=VALUE with distinct names, as in accuracy=0.93, found \"\(text)\""
                )
            }
            metrics.append(ModelMetric(name: String(parts[0]), value: value))
        }
        guard metrics.count <= ModelMetric.limit else {
            throw arguments.failure("--metrics: expected at most \(ModelMetric.limit), found \(metrics.count)")
        }
        return metrics
    }
}
