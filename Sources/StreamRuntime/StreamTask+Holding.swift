/// Back-pressure, and what is the matter while nothing can be read.
extension StreamTask {
    /// Why nothing can be read at the moment, or written for want of a right; nil as far as is known.
    public var connectivityError: StreamError? { consumer.connectivityError ?? refusal }

    func tellTrouble() {
        let connectivityError = consumer.connectivityError
        guard (connectivityError != nil) != isTroubled else { return }
        isTroubled = connectivityError != nil
        environment.observe(connectivityError.map { .unreachable($0) } ?? .reachable)
    }

    /// Stops fetching while the stage has enough to do. Polling goes on, and with it the membership in the group.
    func hold() throws(StreamError) {
        let wantsPause = stage.wantsPause
        guard wantsPause != isHolding, !owned.isEmpty else { return }
        let partitions = assignment
        if wantsPause {
            try retrying { () throws(StreamError) in try self.consumer.pause(partitions) }
        } else {
            try retrying { () throws(StreamError) in try self.consumer.resume(partitions) }
        }
        isHolding = wantsPause
        environment.observe(wantsPause ? .paused(partitions) : .resumed(partitions))
    }
}
