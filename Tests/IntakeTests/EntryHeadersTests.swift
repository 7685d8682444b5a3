import Events
import Flywheel
import PipelineTesting
import StreamRuntime
import Testing
import Vocabulary

@testable import EngineCore
@testable import Intake

@Suite("Headers of entries")
struct EntryHeadersTests {
    @Test("Headers cached for the next entry of a kind equal those built for each")
    func same() {
        var headers = EntryHeaders()
        let projects = ["a", "b"].compactMap { ProjectID(checking: $0) }
        let entries = projects.flatMap { project in
            [
                JournalEntry(project: project, body: .engine(build: "1")),
                JournalEntry(project: project, body: .tally([])),
                JournalEntry(project: project, body: .engine(build: "2")),
            ]
        }
        for round in 0..<3 {
            for (number, entry) in entries.enumerated() {
                let id = "predictions/\(round)/\(number)"
                let time = 1_767_225_600_000 + Int64(number / 2)
                let made = headers(entry, at: Array(id.utf8), time: time)
                let expected = CloudEventHeaders.entry(entry, id: id, role: .intake, time: time, causation: id)
                #expect(made.headers == expected.recordHeaders)
                #expect(made.key == Array(entry.project.rawValue.utf8))
            }
        }
    }
}
