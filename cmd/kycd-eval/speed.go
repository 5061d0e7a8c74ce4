package main

import "github.com/spf13/cobra"

func speedCommand() *cobra.Command { return &cobra.Command{Use: "speed"} }
