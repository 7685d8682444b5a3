import Testing

@testable import Demo

@Suite struct ReportPageTests {
    @Test("An empty snapshot renders every section, running or finished", arguments: [false, true])
    func emptySnapshot(isFinished: Bool) {
        var snapshot = DemoSnapshot()
        snapshot.isFinished = isFinished
        let html = ReportPage(snapshot).html
        for section in ["headline", "asked", "curves", "releases", "stages", "annotators", "events"] {
            #expect(html.contains("id=\"\(section)\""))
        }
        #expect(html.hasPrefix("<!DOCTYPE html>"))
        #expect(!html.contains("nan") && !html.contains("inf%"))
        #expect(isBalanced(html))
    }

    @Test("The page reloads itself only while the run continues", arguments: [false, true])
    func refresh(isFinished: Bool) {
        var snapshot = Self.snapshot
        snapshot.isFinished = isFinished
        let html = ReportPage(snapshot).html
        #expect(html.contains("<meta http-equiv=\"refresh\" content=\"2\">") == !isFinished)
        #expect(html.contains("http-equiv") == !isFinished)
    }

    @Test("Every text of a snapshot is escaped")
    func escaping() {
        let html = ReportPage(Self.snapshot(hostile: "<b a='1' b=\"2\">&</b>")).html
        #expect(!html.contains("<b a="))
        let escaped = "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;&lt;/b&gt;"
        // It is shown by broker, project names, champions, challengers, samples, releases, stages, annotators, events.
        #expect(html.split(separator: escaped, omittingEmptySubsequences: false).count > 20)
        #expect(isBalanced(html))
    }

    @Test("Markup escapes interpolated text and keeps literal text")
    func markup() {
        let text = "a<b>\"c\"'&\u{7}\n"
        let markup: Markup = "<i>\(text)</i>\("<u>x</u>" as Markup)\(-0.04)|\(2.5)"
        #expect(markup.source == "<i>a&lt;b&gt;&quot;c&quot;&#39;&amp;\\u0007 </i><u>x</u>0|2.5")
    }

    @Test("The page loads nothing from outside itself")
    func selfContained() {
        let html = ReportPage(Self.snapshot).html
        for forbidden in ["http:", "https:", "//", "<script", "@import", "url(", "src="] {
            #expect(!html.contains(forbidden), "\(forbidden)")
        }
    }

    @Test("Every queried digit is shown, with its reason and its votes", arguments: [0, 1, 8, 9, 40])
    func queriedDigits(count: Int) {
        var snapshot = Self.snapshot
        snapshot.active.queriedSamples = (0..<count).map { Self.sample("s\($0)") }
        snapshot.random.queriedSamples = []
        let html = ReportPage(snapshot).html
        #expect(occurrences(of: "<svg class=\"digit\"", in: html) == count)
        #expect(occurrences(of: "margin 0.97 by v4, which says\u{a0}8", in: html) == count)
        #expect(occurrences(of: "2 of 3 ", in: html) == count)
        for index in 0..<count { #expect(html.contains("picture of sample s\(index)\"")) }
    }

    @Test("A digit's paths cover its pixels with their shades")
    func digitPaths() {
        var pixels = [Int](repeating: 0, count: 64)
        pixels[9] = 16
        pixels[10] = 16
        // The last pixel of a row and the first of the next do not touch.
        pixels[15] = 8
        pixels[16] = 8
        let source = QueriedDigits.digit(pixels, id: "s").source
        #expect(source.contains("<path d=\"M1 1h2v1h-2z\" fill-opacity=\"1.00\"/>"))
        #expect(source.contains("<path d=\"M7 1h1v1h-1zM0 2h1v1h-1z\" fill-opacity=\"0.50\"/>"))
        #expect(QueriedDigits.digit([], id: "s").source.contains("</svg>"))
    }

    @Test(
        "A task's reason is shown in words",
        arguments: [
            ("margin+kmeans", "acquisition", "v4" as String?, "8" as String?, "margin 0.97 by v4, which says\u{a0}8"),
            ("least_confidence", "acquisition", "v4", nil, "least confidence 0.97 by v4"),
            ("cold_start+kmeans", "acquisition", nil, nil, "cold start: spread over the space"),
            ("cold_start", "acquisition", nil, nil, "cold start: no model yet"),
            ("random", "acquisition", "v4", "8", "drawn at random; v4 says\u{a0}8"),
            ("audit", "audit", nil, nil, "drawn by chance"),
        ]
    )
    func reasons(strategy: String, purpose: String, model: String?, predicted: String?, expected: String) {
        var sample = Self.sample("s")
        (sample.strategy, sample.purpose, sample.scoredBy, sample.predicted) = (strategy, purpose, model, predicted)
        #expect(QueriedDigits.reason(sample) == expected)
    }

    @Test("Audit samples are marked by a tag and a frame")
    func auditSamples() {
        var snapshot = DemoSnapshot()
        var sample = Self.sample("s")
        sample.purpose = "audit"
        snapshot.random.queriedSamples = [sample]
        let html = ReportPage(snapshot).html
        #expect(html.contains("<li class=\"card audit\">"))
        #expect(html.contains("<span class=\"tag\">audit sample</span>"))
    }

    @Test("Every point of both curves is plotted twice, in the wide and in the narrow chart")
    func curvePoints() {
        let html = ReportPage(Self.snapshot).html
        #expect(occurrences(of: "<g class=\"mark point active\">", in: html) == 2 * Self.snapshot.active.curve.count)
        #expect(occurrences(of: "<g class=\"mark point random\">", in: html) == 2 * Self.snapshot.random.curve.count)
        #expect(html.contains("<title>Active v2: 91.3\u{202f}% with 60 labels, at 0:20</title>"))
    }

    @Test("The saving is a ratio once both projects have reached 90 %")
    func saving() {
        var snapshot = Self.snapshot
        (snapshot.active.labelsTo90, snapshot.random.labelsTo90) = (100, nil)
        #expect(!ReportPage(snapshot).html.contains("<strong>1.8×</strong>"))
        snapshot.random.labelsTo90 = 180
        #expect(ReportPage(snapshot).html.contains("<strong>1.8×</strong><span>fewer labels"))
        snapshot.active.labelsTo90 = 324
        #expect(ReportPage(snapshot).html.contains("<strong>1.8×</strong><span>more labels"))
        #expect(Saving(active: 100, random: 101)?.text == "about the same")
        #expect(Saving(active: 0, random: 10) == nil)
    }

    @Test("A rollback ends the span of the model that it replaces")
    func rollback() {
        let spans = ReleaseTimeline.champions(Self.snapshot.active.releases, until: 90)
        #expect(spans.map(\.version) == ["v1", "v2", "v1"])
        #expect(spans.map(\.isRolledBack) == [false, true, false])
        #expect(spans.map(\.from) == [10, 30, 40])
        #expect(spans.map(\.to) == [30, 40, 90])
        let challengers = ReleaseTimeline.challengers(Self.snapshot.active.releases, until: 90)
        #expect(challengers.map(\.version) == ["v2"])
        #expect(challengers.map(\.from) == [20] && challengers.map(\.to) == [30])
        #expect(ReportPage(Self.snapshot).html.contains("<tr class=\"rollback\">"))
    }

    @Test(
        "Figures are formatted in one way everywhere",
        arguments: [
            (Figures.fixed(-0.04, 1), "0.0"), (Figures.fixed(-1.25, 1), "−1.3"), (Figures.fixed(2.005, 0), "2"),
            (Figures.fixed(.nan, 2), "–"), (Figures.coordinate(12.04), "12"), (Figures.coordinate(.infinity), "0"),
            (Figures.count(1_234_567), "1\u{202f}234\u{202f}567"), (Figures.count(-999), "−999"),
            (Figures.percent(0.999), "99.9\u{202f}%"), (Figures.clock(65.9), "1:05"), (Figures.clock(-3), "0:00"),
            (Figures.duration(0.0421), "42 ms"), (Figures.duration(0.9996), "1.0 s"),
            (Figures.duration(125), "2 min 5 s"),
        ]
    )
    func figures(written: String, expected: String) { #expect(written == expected) }

    @Test("The same snapshot gives the same bytes")
    func deterministic() { #expect(ReportPage(Self.snapshot).html == ReportPage(Self.snapshot).html) }
}

extension ReportPageTests {
    static let snapshot = snapshot(hostile: nil)

    static func sample(_ id: String) -> DemoSnapshot.QueriedSample {
        DemoSnapshot.QueriedSample(
            id: id,
            pixels: (0..<64).map { $0 % 17 },
            purpose: "acquisition",
            strategy: "margin+kmeans",
            score: 0.971,
            scoredBy: "v4",
            predicted: "8",
            votes: 2,
            votesWanted: 3
        )
    }

    /// A run in which a bad model is promoted and rolled back. With `hostile`, every text of the snapshot is replaced
    /// by it.
    static func snapshot(hostile: String?) -> DemoSnapshot {
        func text(_ usual: String) -> String { hostile ?? usual }
        func release(_ at: Double, _ cause: String, _ champion: String, _ challenger: String?, _ replaced: String?)
            -> DemoSnapshot.ReleaseView
        {
            DemoSnapshot.ReleaseView(
                at: at,
                cause: cause,
                champion: text(champion),
                challenger: challenger.map(text),
                replaced: replaced.map(text),
                evidence: text("on 44 audit labels"),
                accuracy: 0.9
            )
        }
        var project = DemoSnapshot.ProjectView(name: text("digits"))
        project.champion = text("v1")
        project.challenger = text("v3")
        project.curve = [
            .init(labels: 30, accuracy: 0.61, modelVersion: text("v1"), at: 10),
            .init(labels: 60, accuracy: 0.913, modelVersion: text("v2"), at: 20),
        ]
        var queried = sample(text("s1"))
        (queried.strategy, queried.scoredBy, queried.predicted) = (text("margin+kmeans"), text("v4"), text("8"))
        project.queriedSamples = [queried]
        project.releases = [
            release(10, "first", "v1", nil, nil), release(20, "shadow", "v1", "v2", nil),
            release(30, "promoted", "v2", nil, "v1"), release(40, "rolled_back", "v1", nil, "v2"),
        ]
        project.phases = [.init(name: text("train"), count: 4, meanSeconds: 2.5)]
        project.bottleneck = text("train")
        project.predictionToRelease = [12, 15]
        var snapshot = DemoSnapshot()
        (snapshot.broker, snapshot.elapsed, snapshot.duration) = (text("Apache Kafka 4.3.0"), 90, 180)
        snapshot.active = project
        snapshot.random = project
        snapshot.random.name = text("digits-random")
        snapshot.annotators = [.init(id: text("ada"), trueError: 0.05, estimatedError: 0.06, answers: 40)]
        let kinds: [DemoSnapshot.TimelineEvent.Kind] = [.workerKilled, .workerBack, .brokenShipped, .rolledBack, .note]
        snapshot.events = kinds.enumerated().map { index, kind in
            .init(at: 30 + Double(index) * 3, kind: kind, project: hostile, text: text("it happened"))
        }
        return snapshot
    }

    func occurrences(of part: String, in whole: String) -> Int {
        whole.split(separator: part, omittingEmptySubsequences: false).count - 1
    }

    /// Whether every opened element is closed in the right order.
    func isBalanced(_ html: String) -> Bool {
        let void: Set<String> = ["!DOCTYPE", "meta", "link"]
        var open: [String] = []
        for piece in html.split(separator: "<").dropFirst() {
            guard let end = piece.firstIndex(of: ">") else { return false }
            let tag = piece[..<end]
            let name = String(tag.drop { $0 == "/" }.prefix { $0 != " " && $0 != "/" })
            if tag.hasPrefix("/") {
                guard open.popLast() == name else { return false }
            } else if !tag.hasSuffix("/"), !void.contains(name) {
                open.append(name)
            }
        }
        return open.isEmpty
    }
}
