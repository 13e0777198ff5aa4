import Foundation
import Synchronization
import TestSupport

/// The part of a code host's API that shows statuses, as GitHub and Gitea document it, behind a real HTTP server: 401
/// without the token, 404 for what is not there, 500 while it is broken.
final class StatusHost: Sendable {
  struct Line: Equatable, Sendable {
    let revision: String
    let context: String
    let state: String
    let text: String
  }

  static let token = "token-of-the-host-0123"

  private struct State {
    var lines: [Line] = []
    var isBroken = false
    var refusalCount = 0
  }

  private final class Shared: Sendable {
    let state = Mutex(State())
  }

  private let receiver: HTTPReceiver
  private let shared = Shared()

  /// `root`: what all paths begin with. `scheme`: the word before the token.
  init(root: String = "", scheme: String = "Bearer") throws {
    let repository = "\(root)/repos/acme/shop"
    receiver = try HTTPReceiver { [shared] request in
      shared.state.withLock { state in
        guard !state.isBroken else {
          state.refusalCount += 1
          return .answer(500)
        }
        guard request.headers["authorization"] == "\(scheme) \(Self.token)" else {
          return .answer(401, body: #"{"message": "Bad credentials"}"#)
        }
        if request.method == "GET" { return .answer(request.target == repository ? 200 : 404) }
        guard request.target.hasPrefix(repository + "/statuses/"), let line = Self.line(request)
        else { return .answer(404, body: #"{"message": "Not Found"}"#) }
        state.lines.append(line)
        return .answer(201, body: #"{"id": \#(state.lines.count)}"#)
      }
    }
  }

  private static func line(_ request: HTTPReceiver.Request) -> Line? {
    do {
      guard let context = try request.field("context"), let state = try request.field("state"),
        let revision = request.target.split(separator: "/").last
      else { return nil }
      return Line(
        revision: String(revision), context: context, state: state,
        text: try request.field("description") ?? "")
    } catch {
      return nil
    }
  }

  var url: String { receiver.url }

  func setBroken(_ isBroken: Bool) { shared.state.withLock { $0.isBroken = isBroken } }

  /// How often it was asked while it was broken.
  var refusalCount: Int { shared.state.withLock { $0.refusalCount } }

  /// What was shown at a revision, in its order: `context state: text`.
  func lines(of revision: String) -> [String] {
    shared.state.withLock { $0.lines }.filter { $0.revision == revision }
      .map { "\($0.context) \($0.state): \($0.text)" }
  }

  /// What is shown there now: `state: text` by context.
  func shown(at revision: String) -> [String: String] {
    Dictionary(
      shared.state.withLock { $0.lines }.filter { $0.revision == revision }
        .map { ($0.context, "\($0.state): \($0.text)") }
    ) { $1 }
  }
}
