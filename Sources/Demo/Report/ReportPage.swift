/// The demo's page: one HTML file with everything inline, for a person who has never seen Flywheel.
///
/// While the run continues, the page requests the browser to reload it every two seconds. The same snapshot produces
/// the same bytes.
public struct ReportPage {
    private let snapshot: DemoSnapshot

    /// A page that shows `snapshot`.
    public init(_ snapshot: DemoSnapshot) { self.snapshot = snapshot }

    /// The whole document. Every text of the snapshot is escaped.
    public var html: String {
        let refresh: Markup = snapshot.isFinished ? .empty : "<meta http-equiv=\"refresh\" content=\"2\">\n"
        let headline = Headline(snapshot: snapshot)
        let page: Markup = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            \(refresh)<title>Flywheel demo · \(state)</title>
            <link rel="icon" href="data:,">
            <style>\(PageStyle.sheet)</style>
            </head>
            <body>
            \(headline.header)
            <main>
            \(headline.markup)
            \(QueriedDigits(snapshot: snapshot).markup)
            \(LearningCurves(snapshot: snapshot).markup)
            \(ReleaseTimeline(snapshot: snapshot).markup)
            <div class="two">
            \(StageBars(snapshot: snapshot).markup)
            \(AnnotatorChart(snapshot: snapshot).markup)
            </div>
            \(EventList(snapshot: snapshot).markup)
            </main>
            \(PageFooter().markup)
            </body>
            </html>

            """
        return page.source
    }

    private var state: String {
        snapshot.isFinished
            ? "finished" : "\(Figures.clock(snapshot.elapsed)) of \(Figures.clock(snapshot.duration))"
    }
}
