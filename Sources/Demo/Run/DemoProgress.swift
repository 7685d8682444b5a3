internal import Glibc

/// Progress of a run on standard error: one line that is updated in place on a terminal, separate lines otherwise.
final class DemoProgress {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var hasLine = false

    func note(_ text: String) {
        clear()
        write(text + "\n")
    }

    func show(_ snapshot: DemoSnapshot) {
        let share = snapshot.duration > 0 ? min(1, snapshot.elapsed / snapshot.duration) : 0
        let filled = Int(share * 20)
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
        let text =
            "\(bar) \(Int(snapshot.elapsed)) s  active \(side(snapshot.active))  random \(side(snapshot.random))"
        if isTerminal {
            write("\r\u{1B}[K" + text)
            hasLine = true
        } else {
            write(text + "\n")
        }
    }

    private func side(_ view: DemoSnapshot.ProjectView) -> String {
        let accuracy =
            view.finalAccuracy.map { "\(Int(($0 * 1_000).rounded()) / 10).\(Int(($0 * 1_000).rounded()) % 10) %" }
            ?? "–"
        return "\(view.champion ?? "no model yet"), \(view.labels) labels, \(accuracy)"
    }

    func clear() {
        guard hasLine else { return }
        write("\r\u{1B}[K")
        hasLine = false
    }

    private func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
