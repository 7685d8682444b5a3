import EngineCore
import Events
import Foundation
import Telemetry
import Testing
import Worker

/// Metrics exist before their first event, because the first event of a counter that appears only with it would be
/// invisible.
@Suite("Metrics before their first event")
struct BeginningMetricsTests {
    private func exposition(_ roles: [Role]) -> [String] {
        let registry = MetricsRegistry()
        EngineMetrics(registry: registry).register(roles)
        return registry.exposition().split(separator: "\n").map(String.init)
    }

    /// Before: no metric existed.
    @Test(
        "Each metric in the operators' guide without a project, member or listener label exists from the start, at 0"
    )
    func listed() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let guide = try String(contentsOf: root.appending(path: "docs/guides/operator.md"), encoding: .utf8)
        let lines = exposition(Role.allCases)
        var count = 0
        for row in guide.split(separator: "\n") where row.hasPrefix("| `flywheel_") {
            let cells = row.split(separator: "|", omittingEmptySubsequences: false)
            guard !["project", "member", "listener"].contains(where: { cells[2].contains($0) }) else { continue }
            for name in cells[1].matches(of: #/`(flywheel_[a-z_]+)`/#).map(\.1) {
                let matching = lines.filter {
                    $0.hasPrefix(name + "{") || $0.hasPrefix(name + " ") || $0.hasPrefix(name + "_count")
                }
                #expect(
                    !matching.isEmpty && matching.allSatisfy { $0.hasSuffix(" 0") },
                    "\(name): \(matching.prefix(3))"
                )
                count += 1
            }
        }
        #expect(count >= 18, "\(count)")
    }

    @Test("Every dead letter code has a counter, for Intake and for the loop, and every role has its own metrics")
    func codes() {
        let lines = Set(exposition([.intake, .loop]))
        for code in RecordRejection.Code.allCases {
            #expect(lines.contains(#"flywheel_dead_letters_total{code="\#(code.rawValue)",stage="intake"} 0"#))
        }
        #expect(lines.contains(#"flywheel_dead_letters_total{code="unreadable_entry",stage="loop"} 0"#))
        #expect(lines.contains(#"flywheel_brokers_unreachable{role="intake"} 0"#))
        #expect(!lines.contains { $0.contains(#"role="trainer""#) }, "a worker has the metrics of its own roles")
    }
}
