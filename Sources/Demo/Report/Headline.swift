/// The top of the page: the subject, the progress and the results of the run.
struct Headline {
    let snapshot: DemoSnapshot

    var header: Markup {
        let elapsed = Figures.clock(snapshot.elapsed)
        let total = Figures.clock(snapshot.duration)
        let percent = Figures.fixed(snapshot.progress * 100, 0)
        let state: Markup =
            snapshot.isFinished
            ? "<span class=\"state done\">✓ finished</span>" : "<span class=\"state\">● running</span>"
        let time = snapshot.isFinished ? "took \(elapsed)" : "\(elapsed) of \(total)"
        return """
            <header>
            <div class="bar"><h1>Flywheel <span>demo</span></h1>\(state)</div>
            <p class="lead">One engine, one stream of handwritten digits, two projects: one asks people about the digits \
            that teach its model most, the other asks at random, and every choice, label, release and rollback is an event \
            on Kafka.</p>
            <div class="progress" role="progressbar" aria-label="Progress of the run" aria-valuemin="0" \
            aria-valuemax="100" aria-valuenow="\(percent)"><i style="width:\(snapshot.progress * 100)%"></i></div>
            <p class="facts"><span><b>\(time)</b></span><span>broker <b>\(broker)</b></span>\
            <span>seed <b>\(String(snapshot.seed))</b></span>\(replay)</p>
            </header>
            """
    }

    var markup: Markup {
        """
        <section aria-labelledby="headline"><h2 id="headline">Does it pay to choose?</h2>
        <div class="headline">
        <div class="panel">\(saving)\(pairs)</div>
        <div class="panel">\(table)</div>
        </div></section>
        """
    }

    private var broker: String { snapshot.broker.isEmpty ? "starting" : snapshot.broker }

    private var replay: Markup {
        switch snapshot.replayEqual {
        case nil: .empty
        case true?: "<span class=\"good\">✓ replaying the journals gives <b>the same decisions</b></span>"
        case false?: "<span class=\"bad\">✕ replaying the journals gives <b>different decisions</b></span>"
        }
    }

    // MARK: - The saving

    private var saving: Markup {
        let figures = (snapshot.active.labelsTo90, snapshot.random.labelsTo90)
        if let saving = Saving(active: figures.0, random: figures.1) {
            let words =
                saving.text == "about the same"
                ? "as many labels to reach 90\u{a0}% as asking at random"
                : "\(saving.isGain ? "fewer" : "more") labels to reach 90\u{a0}% than asking at random"
            return "<p class=\"hero\"><strong>\(saving.factor)</strong><span>\(words)</span></p>"
        }
        let words: String
        switch (figures.0, figures.1, snapshot.isFinished) {
        case (_?, nil, true): words = "Active reached 90\u{a0}%. Random did not in this run."
        case (nil, _?, true): words = "Random reached 90\u{a0}%. Active did not in this run."
        case (_, _, true): words = "Neither project reached 90\u{a0}% in this run."
        case (_?, nil, false): words = "Active has reached 90\u{a0}%. Random has not yet."
        case (nil, _?, false): words = "Random has reached 90\u{a0}%. Active has not yet."
        case (_, _, false): words = "The saving shows here once both projects have reached 90\u{a0}%."
        }
        return "<p class=\"hero open\"><strong>\(Figures.unknown)</strong><span>\(words)</span></p>"
    }

    private var pairs: Markup {
        let (active, random) = (snapshot.active, snapshot.random)
        return Markup(joining: [
            pair(
                "Labels to 90\u{a0}%",
                note: "labelled training samples",
                active: active.labelsTo90,
                random: random.labelsTo90
            ),
            pair(
                "Human labels to 90\u{a0}%",
                note: "those that people gave",
                active: active.humanLabelsTo90,
                random: random.humanLabelsTo90
            ),
            pair(
                "Votes to 90\u{a0}%",
                note: "single answers of annotators",
                active: active.votesTo90,
                random: random.votesTo90
            ),
        ])
    }

    private func pair(_ title: String, note: String, active: Int?, random: Int?) -> Markup {
        let longest = Double(max(active ?? 0, random ?? 0, 1))
        let saved = Saving(active: active, random: random)?.text ?? ""
        let bars = zip(ProjectSide.allCases, [active, random]).map { side, value in
            row(side, value, share: Double(max(0, value ?? 0)) / longest)
        }
        return """
            <div class="pair"><h3>\(title) <small>\(note)</small><em>\(saved)</em></h3>\(bars)</div>
            """
    }

    private func row(_ side: ProjectSide, _ value: Int?, share: Double) -> Markup {
        let bar: Markup = value == nil ? .empty : "<i class=\"\(side.rawValue)\" style=\"width:\(share * 100)%\"></i>"
        let figure: Markup =
            if let value {
                "<b>\(Figures.count(value))</b>"
            } else {
                "<span class=\"muted\">\(snapshot.isFinished ? "not reached" : "not yet")</span>"
            }
        return "<div class=\"row\">\(side.badge)<div class=\"track\">\(bar)</div>\(figure)</div>"
    }

    // MARK: - The table

    /// A cell: a figure, and a remark in small print.
    private struct Value {
        let text: String
        let remark: String?

        init(_ text: String, _ remark: String? = nil) {
            self.text = text
            self.remark = remark
        }

        init(_ count: Int) { self.init(Figures.count(count)) }
    }

    private var table: Markup {
        let sides = ProjectSide.allCases.map { snapshot[$0] }
        let rows: [Markup] = [
            row(snapshot.isFinished ? "Final accuracy" : "Accuracy so far", sides.map(Self.accuracy)),
            row("Champion", sides.map(Self.champion)),
            row("Cycles completed", sides.map { Value($0.cycles) }),
            row("Labelling tasks", sides.map { Value($0.tasks) }),
            row("Votes", sides.map(Self.votes)),
            row("Labels", sides.map(Self.labels)),
            row("Dataset versions", sides.map { Value($0.datasetVersions) }),
            row("Trainings", sides.map { Value($0.trainings) }),
            row("Promotions", sides.map { Value($0.promotions) }),
            row("Rollbacks", sides.map(Self.rollbacks)),
            row("Dead letters", sides.map { Value($0.deadLetters) }),
        ]
        let names = ProjectSide.allCases.map { side in
            "<th scope=\"col\">\(side.badge)<small>\(snapshot[side].name)</small></th>" as Markup
        }
        return """
            <table class="figures"><thead><tr><td></td>\(names)</tr></thead><tbody>\(rows)</tbody></table>
            """
    }

    private func row(_ title: String, _ values: [Value]) -> Markup {
        let cells = values.map { value -> Markup in
            let remark: Markup = value.remark.map { "<small>\($0)</small>" } ?? .empty
            return "<td>\(value.text)\(remark)</td>"
        }
        return "<tr><th scope=\"row\">\(title)</th>\(cells)</tr>"
    }

    private static func accuracy(_ project: DemoSnapshot.ProjectView) -> Value {
        Value(project.accuracy.map { Figures.percent($0) } ?? Figures.unknown)
    }

    private static func champion(_ project: DemoSnapshot.ProjectView) -> Value {
        guard let champion = project.champion else { return Value("none yet") }
        return Value(champion, project.challenger.map { "\($0) in its shadow" })
    }

    private static func votes(_ project: DemoSnapshot.ProjectView) -> Value {
        let budget = project.votesBudget > 0 ? "of \(Figures.count(project.votesBudget))" : nil
        return Value(Figures.count(project.votes), budget)
    }

    private static func labels(_ project: DemoSnapshot.ProjectView) -> Value {
        let audit = project.auditLabels > 0 ? "\(Figures.count(project.auditLabels)) of them audit" : nil
        return Value(Figures.count(project.labels), audit)
    }

    private static func rollbacks(_ project: DemoSnapshot.ProjectView) -> Value {
        let remark = project.brokenRolledBackAfterFeedbacks.map {
            "broken model out after \(Figures.counted($0, "feedback", "feedbacks"))"
        }
        return Value(Figures.count(project.rollbacks), remark)
    }
}
