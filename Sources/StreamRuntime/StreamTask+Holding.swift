/// Back-pressure, and the error in force while nothing can be read.
extension StreamTask {
    /// Error because of which nothing can be read now, or nothing can be written because a permission is missing; nil
    /// while there is none.
    public var connectivityError: StreamError? { consumer.connectivityError ?? permissionError }

    func reportConnectivity() {
        let connectivityError = consumer.connectivityError
        guard (connectivityError != nil) != isUnreachable else { return }
        isUnreachable = connectivityError != nil
        environment.observe(connectivityError.map { .unreachable($0) } ?? .reachable)
    }

    /// Pauses fetching while the processor requires it. Polling continues, and with it the membership in the group.
    func updatePause() throws(StreamError) {
        let wantsPause = processor.wantsPause
        guard wantsPause != isFetchPaused, !owned.isEmpty else { return }
        let partitions = assignment
        if wantsPause {
            try retrying { () throws(StreamError) in try self.consumer.pause(partitions) }
        } else {
            try retrying { () throws(StreamError) in try self.consumer.resume(partitions) }
        }
        isFetchPaused = wantsPause
        environment.observe(wantsPause ? .paused(partitions) : .resumed(partitions))
    }
}
