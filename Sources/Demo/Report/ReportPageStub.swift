struct ReportPage { let html: String; init(_ s: DemoSnapshot) { html = "" } }
