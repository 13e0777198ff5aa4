/// Code hosts that show statuses; the names are part of the configuration.
package enum CodeHost: String, CaseIterable, Sendable {
  case github
  case gitlab
  case bitbucketCloud = "bitbucket-cloud"
  case bitbucketDataCenter = "bitbucket-data-center"
  case gitea
  case forgejo

  package var makesDeployments: Bool { self == .github || self == .gitlab }

  /// Of the host that its makers run; `nil`: each site has its own.
  package var apiDefault: String? {
    switch self {
    case .github: "https://api.github.com"
    case .gitlab: "https://gitlab.com"
    case .bitbucketCloud: "https://api.bitbucket.org"
    case .bitbucketDataCenter, .gitea, .forgejo: nil
    }
  }

  /// What the address of an API ends with; added where it is left out.
  package var apiPath: String {
    switch self {
    case .github: ""
    case .gitlab: "/api/v4"
    case .bitbucketCloud: "/2.0"
    case .bitbucketDataCenter: "/rest/api/latest"
    case .gitea, .forgejo: "/api/v1"
    }
  }

  /// Between two calls: GitHub asks for a second, and its limit for content is 80 a minute.
  var pace: Duration { self == .github ? .milliseconds(1_000) : .milliseconds(100) }

  /// How many statuses it takes of one context of a revision; the last one of ours is before that.
  var statusCountMax: Int { self == .github ? 990 : 9_990 }

  /// The state of a revision as the host names it.
  func name(of state: StatusState) -> String {
    switch (self, state) {
    case (.bitbucketCloud, .pending), (.bitbucketDataCenter, .pending): "INPROGRESS"
    case (.bitbucketCloud, .success), (.bitbucketDataCenter, .success): "SUCCESSFUL"
    case (.bitbucketCloud, .superseded): "STOPPED"
    case (.bitbucketCloud, .failure), (.bitbucketDataCenter, _): "FAILED"
    case (.gitlab, .failure): "failed"
    case (.gitlab, .superseded): "canceled"
    case (_, .superseded): "error"
    case (_, .pending): "pending"
    case (_, .success): "success"
    case (_, .failure): "failure"
    }
  }

  /// The state of a deployment.
  func deploymentName(of state: StatusState) -> String {
    switch (self, state) {
    case (.gitlab, .pending): "running"
    case (.gitlab, .failure): "failed"
    case (.gitlab, .superseded): "canceled"
    case (_, .pending): "in_progress"
    case (_, .superseded): "inactive"
    case (_, .success): "success"
    case (_, .failure): "failure"
    }
  }
}

/// How far a revision has come.
package enum StatusState: String, Codable, Sendable {
  case pending
  case success
  case failure
  /// Another revision has taken its place before all were there.
  case superseded
}
