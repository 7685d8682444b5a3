internal import Events

extension BadInput {
    /// Members, logits and scores beside an output.
    package static let details: [BadInput] = [
        detail("members of different lengths", #""members":[[0.5,0.5,0],[1,0]]"#, .refused("schema")),
        detail(
            "members of different classes",
            #""members":[{"circle":1},{"square":1}]"#,
            .refused("schema")
        ),
        detail("no members", #""members":[]"#, .refused("schema")),
        detail(
            "129 members",
            "\"members\":[\([String](repeating: "[1,0,0]", count: 129).joined(separator: ","))]",
            .refused("schema")
        ),
        detail("a member that is no distribution", #""members":[[0.5,0.4,0]]"#, .refused("bad_probabilities")),
        detail("a member of an unknown class", #""members":[{"cube":1}]"#, .refused("unknown_class")),
        detail("a member that is not a number", #""members":[[NaN,1,0]]"#, .refused("not_json")),
        detail("too few logits", #""logits":[1,2]"#, .refused("schema")),
        detail("an infinite logit", #""logits":[1,2,1e999]"#, .refused("not_json")),
        detail("a score above one", #""score":2"#, .accepted),
        detail("a score as text", #""score":"high""#, .accepted),
        BadInput(
            "members without an output",
            .predictions,
            #"{"project":"shapes","sample":{"id":"x"},"members":[[1,0,0]]}"#,
            expecting: .refused("schema")
        ),
        detail("members, logits and a score", #""members":[[1,0,0],[0,1,0]],"logits":[1,0,-1],"score":0.5"#, .accepted),
    ]

    private static func detail(_ name: String, _ part: String, _ outcome: Outcome) -> BadInput {
        BadInput(name, .predictions, prediction(good, more: "," + part), expecting: outcome)
    }
}
