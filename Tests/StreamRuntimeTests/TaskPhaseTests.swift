import Testing

@testable import StreamRuntime

@Suite("Phases of a task")
struct TaskPhaseTests {
    @Test("Only the listed transitions are legal")
    func successors() {
        let legal: [TaskPhase: Set<TaskPhase>] = [
            .joining: [.running, .committing, .closed],
            .running: [.joining, .committing, .closed],
            .committing: [.joining, .running, .closed],
            .closed: [],
        ]
        for phase in TaskPhase.allCases {
            #expect(phase.successors == legal[phase])
            for next in legal[phase] ?? [] {
                var task = phase
                task.become(next)
                #expect(task == next)
            }
            var same = phase
            same.become(phase)
            #expect(same == phase)
        }
    }

    @Test("An illegal transition ends the process, because it could commit records of another owner")
    func illegal() async {
        await #expect(processExitsWith: .failure) {
            var phase = TaskPhase.closed
            phase.become(.running)
        }
    }
}
