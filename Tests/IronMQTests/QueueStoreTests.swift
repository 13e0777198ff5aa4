import Foundation
import IronMQServer
import TestSupport
import Testing

/// The server that stands in for IronMQ, against what IronMQ's documentation says; our client has no part in it.
@Suite struct QueueStoreTests {
  private static let base = "/3/projects/p/queues"

  private final class Desk {
    var store = QueueStore(project: "p", token: "t")
    var now = Duration.zero

    func ask(
      _ method: String, _ path: String, _ body: String = "", token: String = "OAuth t"
    ) -> QueueStore.Outcome {
      store.answer(
        ServerRequest(
          method, base + path, headers: ["authorization": token], body: Array(body.utf8)), at: now)
    }

    /// Status and JSON of an answer.
    func reply(
      _ method: String, _ path: String, _ body: String = "", token: String = "OAuth t"
    ) throws -> (status: Int, object: [String: Any]) {
      guard case .reply(let reply) = ask(method, path, body, token: token) else {
        return (0, [:])
      }
      let object = try JSONSerialization.jsonObject(with: Data(reply.body.utf8))
      return (reply.status, try #require(object as? [String: Any]))
    }

    func status(_ method: String, _ path: String, _ body: String = "") throws -> Int {
      try reply(method, path, body).status
    }

    func said(_ method: String, _ path: String, _ body: String = "") throws -> String {
      let reply = try reply(method, path, body)
      return "\(reply.status) \(reply.object["msg"] ?? "")"
    }

    func post(_ bodies: String..., delay: Int = 0) throws {
      let messages = bodies.map { #"{"body":"\#($0)","delay":\#(delay)}"# }
      #expect(
        try status("POST", "/q/messages", #"{"messages":[\#(messages.joined(separator: ","))]}"#)
          == 201)
    }

    typealias Reserved = (id: String, reservation: String, body: String)

    func reserve(_ count: Int = 100, timeout: Int = 60) throws -> [Reserved] {
      let reply = try reply(
        "POST", "/q/reservations", #"{"n":\#(count),"timeout":\#(timeout)}"#)
      return try #require(reply.object["messages"] as? [[String: Any]]).map { message in
        (
          "\(message["id"] ?? "")", "\(message["reservation_id"] ?? "")",
          "\(message["body"] ?? "")"
        )
      }
    }
  }

  private let desk = Desk()

  init() throws { #expect(try desk.status("PUT", "/q", "{}") == 200) }

  @Test func `messages come in their order and are gone when they are deleted`() throws {
    try desk.post("a", "b")
    try desk.post("c")
    let messages = try desk.reserve()
    #expect(messages.map(\.body) == ["a", "b", "c"])
    #expect(try desk.reserve().isEmpty, "they are reserved")
    for message in messages {
      let said = try desk.said(
        "DELETE", "/q/messages/\(message.id)", #"{"reservation_id":"\#(message.reservation)"}"#)
      #expect(said == "200 Deleted")
    }
    #expect(try desk.reply("GET", "/q").object["queue"] as? [String: Any] != nil)
    let queue = try #require(try desk.reply("GET", "/q").object["queue"] as? [String: Any])
    #expect(queue["size"] as? Int == 0 && queue["total_messages"] as? Int == 3)
  }

  @Test func `a reservation that times out puts its message in front again`() throws {
    try desk.post("a", "b", "c")
    let first = try desk.reserve(1, timeout: 30)
    #expect(first.map(\.body) == ["a"])
    desk.now += .seconds(29)
    #expect(try desk.reserve(1).map(\.body) == ["b"])
    desk.now += .seconds(1)
    let deleted = try desk.said(
      "DELETE", "/q/messages/\(first[0].id)", #"{"reservation_id":"\#(first[0].reservation)"}"#)
    #expect(deleted == "403 Reservation has timed out")
    #expect(try desk.reserve().map(\.body) == ["a", "c"])
  }

  @Test func `a touch lengthens a reservation under another id`() throws {
    try desk.post("a")
    let message = try desk.reserve(1, timeout: 30)[0]
    desk.now += .seconds(20)
    let path = "/q/messages/\(message.id)"
    let reply = try desk.reply(
      "POST", path + "/touch", #"{"reservation_id":"\#(message.reservation)","timeout":40}"#)
    let touched = try #require(reply.object["reservation_id"] as? String)
    #expect(reply.status == 200 && touched != message.reservation)
    desk.now += .seconds(39)
    #expect(try desk.reserve().isEmpty)
    let old = #"{"reservation_id":"\#(message.reservation)"}"#
    #expect(try desk.status("DELETE", path, old) == 403)
    #expect(try desk.status("POST", path + "/touch", old) == 403)
    #expect(try desk.status("DELETE", path, #"{"reservation_id":"\#(touched)"}"#) == 200)
  }

  @Test func `a release puts a message in front again perhaps later`() throws {
    try desk.post("a", "b")
    let messages = try desk.reserve()
    for (message, delay) in zip(messages.reversed(), [0, 10]) {
      let said = try desk.said(
        "POST", "/q/messages/\(message.id)/release",
        #"{"reservation_id":"\#(message.reservation)","delay":\#(delay)}"#)
      #expect(said == "200 Released")
    }
    #expect(try desk.reserve().map(\.body) == ["b"])
    desk.now += .seconds(10)
    #expect(try desk.reserve().map(\.body) == ["a"])
  }

  @Test func `delays and expirations are by the clock`() throws {
    #expect(
      try desk.status("PUT", "/q", #"{"queue":{"message_expiration":3600,"message_timeout":120}}"#)
        == 200)
    try desk.post("a", delay: 60)
    #expect(try desk.reserve().isEmpty)
    desk.now += .seconds(60)
    let reply = try desk.reply("POST", "/q/reservations", "{}")
    #expect((reply.object["messages"] as? [Any])?.count == 1)
    desk.now += .seconds(119)
    #expect(try desk.reserve().isEmpty, "the queue's own timeout holds")
    desk.now += .seconds(1)
    #expect(try desk.reserve().count == 1)
    desk.now += .seconds(3_600)
    #expect(try desk.reserve().isEmpty)
    #expect(desk.store.queues["q"]?.messages.isEmpty == true)
  }

  @Test func `a batch is deleted together and a list of none clears the queue`() throws {
    try desk.post("a", "b", "c", "d")
    let messages = try desk.reserve(3)
    func list(_ entries: [Desk.Reserved]) -> String {
      let ids = entries.map { #"{"id":"\#($0.id)","reservation_id":"\#($0.reservation)"}"# }
      return #"{"ids":[\#(ids.joined(separator: ","))]}"#
    }
    #expect(
      try desk.said("DELETE", "/q/messages", list(Array(messages.prefix(2)))) == "200 Deleted")
    #expect(desk.store.queues["q"]?.messages.count == 2)
    let stranger = (id: messages[2].id, reservation: "other", body: "")
    #expect(try desk.status("DELETE", "/q/messages", list([stranger])) == 403)
    #expect(try desk.status("DELETE", "/q/messages", list([messages[0]])) == 404)
    #expect(
      try desk.status("DELETE", "/q/messages", list(Array(repeating: messages[2], count: 101)))
        == 400)
    for inPart in [false, true] {
      desk.store.faults.deletesInPart = inPart
      #expect(try desk.status("DELETE", "/q/messages", list([stranger, messages[2]])) == 403)
      let rest = try desk.reserve(1)
      #expect(desk.store.queues["q"]?.messages.count == (inPart ? 1 : 2))
      #expect(rest.count == (inPart ? 0 : 1))
    }
    for clearing in ["{}", #"{"ids":[]}"#, ""] {
      try desk.post("e")
      #expect(try desk.said("DELETE", "/q/messages", clearing) == "200 Cleared")
      #expect(desk.store.queues["q"]?.messages.isEmpty == true)
    }
  }

  @Test func `ids are texts and numbers by turns`() throws {
    var kinds: Set<String> = []
    for _ in 0..<4 {
      let reply = try desk.reply("POST", "/q/messages", #"{"messages":[{"body":"a"}]}"#)
      let id = try #require((reply.object["ids"] as? [Any])?.first)
      kinds.insert(id is String ? "text" : "number")
    }
    #expect(kinds == ["text", "number"])
  }

  @Test func `what is deleted at once is not kept`() throws {
    try desk.post("a")
    let reply = try desk.reply("POST", "/q/reservations", #"{"delete":true}"#)
    #expect((reply.object["messages"] as? [Any])?.count == 1)
    #expect(desk.store.queues["q"]?.messages.isEmpty == true)
  }

  @Test func `a peek and a look at one message reserve nothing`() throws {
    try desk.post("a", "b")
    let peek = try desk.reply("GET", "/q/messages", #"{"n":2}"#)
    let ids = try #require(peek.object["messages"] as? [[String: Any]]).map { "\($0["id"] ?? "")" }
    let one = try desk.reply("GET", "/q/messages/\(ids[1])")
    #expect((one.object["message"] as? [String: Any])?["body"] as? String == "b")
    #expect(try desk.reserve().count == 2)
  }

  @Test func `a reservation of nothing waits where it is to`() throws {
    #expect(try desk.reserve().isEmpty)
    let outcome = desk.ask("POST", "/q/reservations", #"{"wait":30}"#)
    #expect(outcome == .wait(queue: "q", seconds: 30))
  }

  @Test(arguments: [
    ("POST", "/q/messages", "{", 400), ("POST", "/q/messages", "[]", 400),
    ("POST", "/q/messages", #"{"messages":[]}"#, 400),
    ("POST", "/q/messages", #"{"messages":[{"body":""}]}"#, 400),
    ("POST", "/q/messages", #"{"messages":[{"body":"a","delay":604801}]}"#, 400),
    ("POST", "/q/reservations", #"{"n":0}"#, 400), ("POST", "/q/reservations", #"{"n":101}"#, 400),
    ("POST", "/q/reservations", #"{"timeout":29}"#, 400),
    ("POST", "/q/reservations", #"{"timeout":86401}"#, 400),
    ("POST", "/q/reservations", #"{"wait":31}"#, 400),
    ("PUT", "/r", #"{"queue":{"message_expiration":2592001}}"#, 400),
    ("PUT", "/q", #"{"queue":{"type":"unicast"}}"#, 400), ("PATCH", "/none", "{}", 404),
    ("GET", "/none", "", 404), ("POST", "/none/messages", #"{"messages":[{"body":"a"}]}"#, 404),
    ("POST", "/none/reservations", "{}", 404), ("DELETE", "/none/messages", "{}", 404),
    ("DELETE", "/none", "", 404), ("GET", "/q/messages/1", "", 404),
    ("POST", "/q/messages/1/touch", "{}", 404), ("PUT", "/q/messages", "{}", 405),
    ("GET", "/q/reservations", "", 405), ("POST", "/q", "{}", 405),
  ])
  func `what the documentation does not have is refused`(
    method: String, path: String, body: String, status: Int
  ) throws {
    #expect(try desk.status(method, path, body) == status)
  }

  @Test func `only the token of the moment opens anything`() throws {
    for token in ["", "OAuth", "OAuth x", "Bearer t", "t"] {
      #expect(try desk.reply("GET", "/q", token: token).status == 401)
    }
    desk.store.token = "other"
    #expect(try desk.status("GET", "/q") == 401)
  }

  @Test func `the limit is on the whole request`() throws {
    desk.store.requestByteCountMax = 1_000
    let empty = #"{"messages":[{"body":""}]}"#
    func status(_ count: Int) throws -> Int {
      let body = #"{"messages":[{"body":"\#(String(repeating: "a", count: count))"}]}"#
      return try desk.status("POST", "/q/messages", body)
    }
    let head = ServerRequest(
      "POST", Self.base + "/q/messages", headers: ["authorization": "OAuth t"]
    ).byteCount
    #expect(try status(1_000 - head - empty.utf8.count) == 201)
    #expect(try status(1_001 - head - empty.utf8.count) == 413)
  }

  @Test func `a queue that duplicates and reorders loses nothing`() throws {
    desk.store.faults.duplicates = true
    desk.store.faults.reordering = SeededGenerator(seed: 3)
    for number in 0..<20 { try desk.post("\(number)") }
    let bodies = try desk.reserve().map(\.body)
    #expect(bodies.count == 40 && Set(bodies).count == 20)
    #expect(bodies != bodies.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) })
  }
}
