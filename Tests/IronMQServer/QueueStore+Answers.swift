import Foundation

extension QueueStore {
  package enum Outcome: Sendable, Equatable {
    case reply(ServerReply)
    /// Nothing is there now; to be asked again when something changes, for so many seconds.
    case wait(queue: String, seconds: Int)
  }

  /// What the documentation says to a request at that time.
  package mutating func answer(_ request: ServerRequest, at now: Duration) -> Outcome {
    beginAnswer()
    guard request.headers["authorization"] == "OAuth \(token)" else {
      return .reply(.said(401, "Unauthorized"))
    }
    guard request.byteCount <= requestByteCountMax else {
      return .reply(.said(413, "Request entity too large"))
    }
    let parts = request.path.split(separator: "/").map(String.init)
    guard parts.count >= 4, Array(parts[..<4]) == ["3", "projects", project, "queues"] else {
      return .reply(.said(404, "Project not found"))
    }
    guard parts.count > 4 else { return .reply(listing(request)) }
    guard let body = request.object else { return .reply(.said(400, "Could not parse JSON")) }
    settle(parts[4], at: now)
    let call = Call(method: request.method, queue: parts[4], body: body, now: now)
    switch Array(parts[5...]) {
    case []: return .reply(queue(call))
    case let rest where queues[parts[4]] == nil:
      return .reply(rest.isEmpty ? .said(405, "Method not allowed") : .said(404, "Queue not found"))
    case ["messages"]: return .reply(messages(call))
    case ["reservations"]: return reservations(call)
    case let rest where rest.count == 2 && rest[0] == "messages":
      return .reply(message(call, rest[1]))
    case let rest where rest.count == 3 && rest[0] == "messages":
      return .reply(reservation(call, rest[1], rest[2]))
    default: return .reply(.said(404, "Not found"))
    }
  }

  private struct Call {
    let method: String
    let queue: String
    let body: [String: Any]
    let now: Duration

    func number(_ key: String, _ otherwise: Int) -> Int? {
      body[key] == nil ? otherwise : (body[key] as? NSNumber).map(\.intValue)
    }
  }

  private static let notAllowed = ServerReply.said(405, "Method not allowed")
  private static let timedOut = ServerReply.said(403, "Reservation has timed out")
  private static let noMessage = ServerReply.said(404, "Message not found")

  private func listing(_ request: ServerRequest) -> ServerReply {
    guard request.method == "GET" else { return Self.notAllowed }
    let names = queues.keys.sorted().map { #"{"name":\#(ServerReply.json($0))}"# }
    return ServerReply(200, #"{"queues":[\#(names.joined(separator: ","))]}"#)
  }

  // MARK: - Queues

  private mutating func queue(_ call: Call) -> ServerReply {
    switch call.method {
    case "PUT", "PATCH":
      guard call.method == "PUT" || queues[call.queue] != nil else {
        return .said(404, "Queue not found")
      }
      return create(call)
    case "GET":
      guard let queue = queues[call.queue] else { return .said(404, "Queue not found") }
      return described(
        call.queue, queue,
        #","size":\#(queue.messages.count),"total_messages":\#(queue.totalCount)"#)
    case "DELETE":
      guard queues.removeValue(forKey: call.queue) != nil else {
        return .said(404, "Queue not found")
      }
      return .said(200, "Deleted")
    default: return Self.notAllowed
    }
  }

  private mutating func create(_ call: Call) -> ServerReply {
    let settings = call.body["queue"] as? [String: Any] ?? [:]
    var queue = queues[call.queue] ?? Queue()
    let known = queues[call.queue] != nil
    let type = settings["type"] as? String ?? (known ? queue.type : "pull")
    guard ["pull", "unicast", "multicast"].contains(type) else {
      return .said(400, "Unknown queue type")
    }
    guard !known || type == queue.type else { return .said(400, "Queue type is static") }
    let timeout = settings["message_timeout"] as? Int ?? queue.timeoutSeconds
    let expiration = settings["message_expiration"] as? Int ?? queue.expirationSeconds
    guard Limit.timeout.contains(timeout), Limit.expiration.contains(expiration) else {
      return .said(400, "Out of range")
    }
    (queue.type, queue.timeoutSeconds, queue.expirationSeconds) = (type, timeout, expiration)
    queues[call.queue] = queue
    return described(call.queue, queue, "")
  }

  private func described(_ name: String, _ queue: Queue, _ counts: String) -> ServerReply {
    ServerReply(
      200,
      """
      {"queue":{"project_id":\(ServerReply.json(project)),"name":\(ServerReply.json(name))\(counts),\
      "message_timeout":\(queue.timeoutSeconds),"message_expiration":\(queue.expirationSeconds),\
      "type":"\(queue.type)"}}
      """)
  }

  // MARK: - Messages

  private mutating func messages(_ call: Call) -> ServerReply {
    switch call.method {
    case "POST": return post(call)
    case "DELETE": return delete(call)
    case "GET":
      guard let count = call.number("n", 1), Limit.batch.contains(count) else {
        return .said(400, "n is out of range")
      }
      let free = (queues[call.queue]?.messages ?? []).filter {
        !$0.isReserved(at: call.now) && $0.availableAt <= call.now
      }
      return written(Array(free.prefix(count)))
    default: return Self.notAllowed
    }
  }

  private mutating func post(_ call: Call) -> ServerReply {
    guard let messages = call.body["messages"] as? [[String: Any]], !messages.isEmpty else {
      return .said(400, "No messages")
    }
    var bodies: [(body: String, delay: Int)] = []
    for message in messages {
      let delay = message["delay"] == nil ? 0 : message["delay"] as? Int ?? -1
      guard let body = message["body"] as? String, !body.isEmpty, Limit.delay.contains(delay) else {
        return .said(400, "A message without body, or with a delay out of range")
      }
      bodies.append((body, delay))
    }
    let ids = put(bodies, into: call.queue, at: call.now).map { written($0) }
    return ServerReply(
      201, #"{"ids":[\#(ids.joined(separator: ","))],"msg":"Messages put on queue."}"#)
  }

  /// Without a list, or with an empty one, of all messages.
  private mutating func delete(_ call: Call) -> ServerReply {
    let list = call.body["ids"] as? [[String: Any]] ?? []
    guard !list.isEmpty else {
      queues[call.queue]?.messages = []
      return .said(200, "Cleared")
    }
    guard Limit.batch.contains(list.count) else { return .said(400, "Too many ids") }
    var (ids, failure): (Set<String>, ServerReply?) = ([], nil)
    for entry in list {
      let id = Self.id(entry["id"])
      if let index = index(of: id, in: call.queue) {
        if mayChange(index, in: call.queue, Self.reservation(entry), at: call.now) {
          ids.insert(id)
        } else {
          failure = failure ?? Self.timedOut
        }
      } else {
        failure = failure ?? Self.noMessage
      }
    }
    if failure == nil || faults.deletesInPart {
      queues[call.queue]?.messages.removeAll { ids.contains("\($0.id)") }
    }
    return failure ?? .said(200, "Deleted")
  }

  private mutating func message(_ call: Call, _ id: String) -> ServerReply {
    guard ["GET", "DELETE"].contains(call.method) else { return Self.notAllowed }
    guard let index = index(of: id, in: call.queue) else { return Self.noMessage }
    guard call.method == "DELETE" else {
      guard let message = queues[call.queue]?.messages[index] else { return Self.noMessage }
      return ServerReply(200, #"{"message":\#(written(message, reservation: false))}"#)
    }
    guard mayChange(index, in: call.queue, Self.reservation(call.body), at: call.now) else {
      return Self.timedOut
    }
    queues[call.queue]?.messages.remove(at: index)
    return .said(200, "Deleted")
  }

  private mutating func reservation(_ call: Call, _ id: String, _ verb: String) -> ServerReply {
    guard ["touch", "release"].contains(verb) else { return .said(404, "Not found") }
    guard call.method == "POST" else { return Self.notAllowed }
    guard let index = index(of: id, in: call.queue) else { return Self.noMessage }
    guard let reservation = Self.reservation(call.body),
      mayChange(index, in: call.queue, reservation, at: call.now)
    else { return Self.timedOut }
    guard verb == "touch" else {
      guard let delay = call.number("delay", 0), Limit.delay.contains(delay) else {
        return .said(400, "delay is out of range")
      }
      release(index, in: call.queue, delay: delay, at: call.now)
      return .said(200, "Released")
    }
    let standard = queues[call.queue]?.timeoutSeconds ?? 60
    guard let seconds = call.number("timeout", standard), Limit.timeout.contains(seconds) else {
      return .said(400, "timeout is out of range")
    }
    let touched = touch(index, in: call.queue, seconds: seconds, at: call.now)
    return ServerReply(200, #"{"reservation_id":"\#(touched)","msg":"Touched"}"#)
  }

  private mutating func reservations(_ call: Call) -> Outcome {
    guard call.method == "POST" else { return .reply(Self.notAllowed) }
    guard let count = call.number("n", 1), Limit.batch.contains(count),
      let wait = call.number("wait", 0), Limit.wait.contains(wait),
      let timeout = call.number("timeout", queues[call.queue]?.timeoutSeconds ?? 60),
      Limit.timeout.contains(timeout)
    else { return .reply(.said(400, "n, wait or timeout is out of range")) }
    let taken = reserve(
      count, from: call.queue, timeout: timeout, deleting: call.body["delete"] as? Bool ?? false,
      at: call.now)
    guard taken.isEmpty, wait > 0 else { return .reply(written(taken, reservation: true)) }
    return .wait(queue: call.queue, seconds: wait)
  }

  private func written(_ messages: [Message], reservation: Bool = false) -> ServerReply {
    let texts = messages.map { written($0, reservation: reservation) }
    return ServerReply(200, #"{"messages":[\#(texts.joined(separator: ","))]}"#)
  }

  private func written(_ message: Message, reservation: Bool) -> String {
    let held = reservation ? #","reservation_id":"\#(message.reservation ?? "")""# : ""
    return """
      {"id":\(written(message.id)),"body":\(ServerReply.json(message.body)),\
      "reserved_count":\(message.reservedCount)\(held)}
      """
  }

  private static func id(_ value: Any?) -> String {
    value as? String ?? (value as? NSNumber)?.stringValue ?? ""
  }

  private static func reservation(_ body: [String: Any]) -> String? {
    body["reservation_id"] as? String
  }
}
