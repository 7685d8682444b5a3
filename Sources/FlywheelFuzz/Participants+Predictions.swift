internal import Events
internal import Fuzzing
internal import Statistics

extension Participants {
    /// Returns the answer to a request for predictions: usually complete, sometimes with a candidate or a label
    /// missing, or with a candidate repeated.
    func answer(_ project: String, _ request: JSONTree, _ generator: inout SplitMix64) -> Draft {
        let classes = projects.first { $0.name == project }?.classes ?? ["0"]
        var answers: [JSONTree] = []
        for candidate in request["candidates"]?.elements ?? [] {
            var answer: JSONTree = ["sample": candidate["id"] ?? ""]
            for role in ["champion", "challenger"] where generator.chance(0.9) {
                answer[role] = ["kind": "choice", "class": .text(generator.pick(classes))]
            }
            if generator.chance(0.97) { answers.append(answer) }
            if generator.chance(0.02) { answers.append(answer) }
        }
        var tree: JSONTree = [
            "project": .text(project), "kind": "predicted", "request": request["request"] ?? "",
            "answers": .array(answers),
        ]
        if let token = request["token"] { tree["token"] = token }
        if generator.chance(0.1) { tree["error"] = "out of memory" }
        return Draft(topic: .trainingResults, key: Array(project.utf8), tree: tree)
    }
}
