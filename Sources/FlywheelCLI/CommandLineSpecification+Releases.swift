import Arguments

/// Commands on releases.
extension CommandLineSpecification {
    static let releases = CommandSpecification(
        "releases",
        summary: "inspect and control releases, and name the model that serves before Flywheel trains one",
        subcommands: [
            CommandSpecification(
                "register",
                summary: "make the model that serves already a project's first champion",
                discussion: """
                    By a command on the topic commands, before the project has a champion. The first trained model is then
                    judged against it like any challenger. Waits until the loop has carried it out; exits with 1 if it
                    refused.
                    """,
                options: connection + [
                    project,
                    .option(
                        "artifact",
                        "URI",
                        help: "location of the model, for the service that serves it",
                        isRequired: true
                    ),
                    .option("sha256", "HEX", help: "digest of the artifact (of a file here: computed)"),
                    .option("size", "BYTES", help: "size of the artifact (of a file here: computed)"),
                    .repeated("metrics", "NAME=VALUE", help: "what is known of it, as in accuracy=0.93; informs"),
                    .option("by", "NAME", help: "who wants it (default the user's name)"),
                    .option("reason", "TEXT", help: "why, for people", defaultValue: "it served before"),
                ],
                positionals: [PositionalSpecification("version", help: "its name in the predictions' model.version")]
            ),
            CommandSpecification(
                "log",
                summary: "list every transition of a project's model versions, or who was live at a time",
                discussion: """
                    From the topic release-log, the oldest first. With --at it says who was live at that time, and exits with 1
                    where that is not recorded: models that are older than the topic are not on it.
                    """,
                options: connection + [
                    .option("at", "TIME", help: "a time with its zone, as in 2026-03-01T12:00:00Z"), jsonLines,
                ],
                positionals: [releasedProject]
            ),
            CommandSpecification(
                "show",
                summary: "say who is live and who shadows, since when, and what is held or quarantined",
                options: connection + [json],
                positionals: [releasedProject]
            ),
            CommandSpecification(
                "why",
                summary: "print the evidence for the state of a model version",
                options: connection + [json],
                positionals: [
                    releasedProject, PositionalSpecification("version", help: "its name, as in v12"),
                ]
            ),
            controlling(
                "rollback",
                summary: "return to the champion before and quarantine the live one, or take a canary back",
                discussion: """
                    By a command on the topic commands. Names the version that is live, so that of two who roll back at once one is
                    refused. Waits until the loop has carried it out; exits with 1 if it refused.
                    """,
                options: [
                    .option(
                        "from",
                        "VERSION",
                        help: "the canary, or the live version, which is the default"
                    )
                ]
            ),
            controlling(
                "hold",
                summary: "stop promotions",
                discussion: """
                    By a command on the topic commands. Studies go on and models shadow, and rollbacks still happen. Waits until
                    the loop has carried it out.
                    """
            ),
            controlling(
                "unhold",
                summary: "let promotions go on, from the next evidence",
                discussion: "By a command on the topic commands. Waits until the loop has carried it out."
            ),
            CommandSpecification(
                "compare",
                summary: "compare two model versions on audit labels: scores, tests, anchor and window",
                discussion: """
                    Applies the project's journal again, some microseconds an entry, and decides nothing. Differences are the second
                    version less the first; the same version twice shows its scores alone. Labels count that are newer than a
                    version's release, and what a model said before its label was known.
                    """,
                options: connection + [json],
                positionals: [
                    releasedProject,
                    PositionalSpecification("first", help: "the version to compare with, as in v11"),
                    PositionalSpecification("second", help: "the other version, as in v12"),
                ]
            ),
            controlling(
                "freeze",
                summary: "stop promotions and studies, and return to the last trusted champion",
                discussion: """
                    By a command on the topic commands. The champion is replaced by the newest former one that was live for
                    rollout.bake_before_trust, unless it was so itself, or none was. Feedback is kept, and rollbacks still happen.
                    Waits until the loop has carried it out.
                    """
            ),
            controlling(
                "unfreeze",
                summary: "let promotions and studies go on",
                discussion: "By a command on the topic commands. Waits until the loop has carried it out."
            ),
            controlling(
                "suppress",
                summary: "take a class out of what services answer and people may choose",
                discussion: """
                    By a command on the topic commands. The next release names the class as suppressed, and so does each after it:
                    services leave it out of their answers. New tasks do not offer it, and its audit labels judge no model. What is
                    published of it is collected as before. Waits until the loop has carried it out; exits with 1 if it refused.
                    """,
                positionals: [suppressedClass]
            ),
            controlling(
                "unsuppress",
                summary: "bring a suppressed class back",
                discussion: "By a command on the topic commands. Waits until the loop has carried it out.",
                positionals: [suppressedClass]
            ),
            CommandSpecification(
                "approve",
                summary: "let a model's rollout pass the step that asks for approval",
                discussion: """
                    By a command on the topic commands. The step is passed once its time is over and its voices have come. Waits
                    until the loop has carried it out; exits with 1 if it refused.
                    """,
                options: connection + [
                    .option("by", "NAME", help: "who approves (default the user's name)"),
                    .option("reason", "TEXT", help: "why, for people", defaultValue: "approved"),
                ],
                positionals: [releasedProject, PositionalSpecification("version", help: "the model on its way")]
            ),
        ]
    )

    private static func controlling(
        _ name: String,
        summary: String,
        discussion: String,
        options: [OptionSpecification] = [],
        positionals: [PositionalSpecification] = []
    ) -> CommandSpecification {
        CommandSpecification(
            name,
            summary: summary,
            discussion: discussion,
            options: connection + options + [
                .option("by", "NAME", help: "who wants it (default the user's name)"),
                .option("reason", "TEXT", help: "why, for people; kept for ever", isRequired: true),
            ],
            positionals: [releasedProject] + positionals
        )
    }

    private static let suppressedClass = PositionalSpecification("class", help: "its name in the project's question")

    private static let releasedProject = PositionalSpecification("project", help: "the project")
    private static let jsonLines = OptionSpecification.flag(
        "json",
        help: "a line of JSON for each transition; with --at one JSON value"
    )
}
